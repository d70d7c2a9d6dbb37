import { type FileHandle, open } from 'node:fs/promises';
import { maxBoxHeaderBytes, moovHasSound, readBox } from '../../core/media/mp4-sound.ts';
import { webmHasSound } from '../../core/media/webm-sound.ts';
import type { OutputFormat } from '../../core/output.ts';

/** A description of hours of footage has less; what says otherwise is no file that we made. */
const maxMoovBytes = 64 * 1024 * 1024;
/** Boxes before the description: a handful. */
const maxBoxes = 64;
const webmHeadBytes = 64 * 1024;

/** Whether a finished video has a sound track, from what it says of itself. Null: a still, or not known; never an error. */
export const probeSound = async (path: string, format: OutputFormat): Promise<boolean | null> => {
  if (format === 'gif') return false;
  if (format !== 'mp4' && format !== 'webm') return null;
  try {
    const file = await open(path, 'r');
    try {
      return format === 'mp4' ? await mp4Sound(file) : webmHasSound(await readAt(file, 0, webmHeadBytes));
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
};

const mp4Sound = async (file: FileHandle): Promise<boolean | null> => {
  let position = 0;
  for (let boxes = 0; boxes < maxBoxes; boxes += 1) {
    const box = readBox(await readAt(file, position, maxBoxHeaderBytes));
    if (!box) return null;
    if (box.type === 'moov') {
      const size = box.sizeInBytes ?? (await file.stat()).size - position;
      return size > maxMoovBytes
        ? null
        : moovHasSound(await readAt(file, position + box.headerBytes, size - box.headerBytes));
    }
    if (box.sizeInBytes === null) return null;
    position += box.sizeInBytes;
  }
  return null;
};

const readAt = async (file: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
};
