/** Format and pixels of a picture, read from its own bytes and from nothing else. */

export interface PictureFacts {
  readonly format: 'png' | 'jpeg' | 'webp';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

const pngSignature = '89504e470d0a1a0a';

/** Throws where the bytes are none of the three. Sources: PNG 11.2.1, ITU-T T.81 B.2.2, RFC 9649. */
export const readPicture = (bytes: Buffer): PictureFacts => {
  if (bytes.toString('hex', 0, 8) === pngSignature)
    return { format: 'png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (bytes.toString('hex', 0, 3) === 'ffd8ff') return { format: 'jpeg', ...readJpeg(bytes) };
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP')
    return { format: 'webp', ...readWebp(bytes) };
  throw new Error(`Neither PNG, JPEG nor WebP: begins with ${bytes.toString('hex', 0, 12)}`);
};

type Pixels = Pick<PictureFacts, 'width' | 'height'>;

/** Of the markers 0xc0 to 0xcf these three begin no frame. */
const notFrames: readonly number[] = [0xc4, 0xc8, 0xcc];

const readJpeg = (bytes: Buffer): Pixels => {
  for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes.readUInt8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && !notFrames.includes(marker))
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
  }
  throw new Error('A JPEG without a frame');
};

const readWebp = (bytes: Buffer): Pixels => {
  const chunk = bytes.toString('latin1', 12, 16);
  if (chunk === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ')
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (chunk === 'VP8L') {
    const bits = bytes.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  throw new Error(`A WebP that begins with ${chunk}`);
};
