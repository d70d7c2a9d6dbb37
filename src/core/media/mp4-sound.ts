/** Whether an MP4 has a sound track. Source: ISO/IEC 14496-12, the boxes moov, trak, mdia, hdlr. */

export interface Box {
  readonly type: string;
  readonly headerBytes: number;
  /** Header included; null: it ends with the file. */
  readonly sizeInBytes: number | null;
}

/** What a header can have: size, type, and a size of 64 bits. */
export const maxBoxHeaderBytes = 16;

/** Undefined where no box begins. */
export const readBox = (bytes: Uint8Array): Box | undefined => {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(4, 8));
  const size = view.getUint32(0);
  if (size === 0) return { type, headerBytes: 8, sizeInBytes: null };
  if (size >= 8) return { type, headerBytes: 8, sizeInBytes: size };
  if (size !== 1 || bytes.length < maxBoxHeaderBytes) return undefined;
  const large = Number(view.getBigUint64(8));
  return large < maxBoxHeaderBytes ? undefined : { type, headerBytes: maxBoxHeaderBytes, sizeInBytes: large };
};

/** The bodies of the boxes of one type, of those that are side by side in these bytes. */
const bodiesOf = (type: string, bytes: Uint8Array): Uint8Array[] => {
  const found: Uint8Array[] = [];
  let rest = bytes;
  for (let box = readBox(rest); box; box = readBox(rest)) {
    const end = box.sizeInBytes ?? rest.length;
    if (box.type === type) found.push(rest.subarray(box.headerBytes, end));
    rest = rest.subarray(end);
  }
  return found;
};

/** After version, flags and a field that is always zero. */
const handlerTypeAt = 8;

const handlerOf = (hdlr: Uint8Array): string =>
  String.fromCharCode(...hdlr.subarray(handlerTypeAt, handlerTypeAt + 4));

/** Takes the body of the box `moov`. Null: it has no track that tells what it is. */
export const moovHasSound = (moov: Uint8Array): boolean | null => {
  const handlers = bodiesOf('trak', moov)
    .flatMap((trak) => bodiesOf('mdia', trak))
    .flatMap((mdia) => bodiesOf('hdlr', mdia))
    .map(handlerOf);
  return handlers.length === 0 ? null : handlers.includes('soun');
};
