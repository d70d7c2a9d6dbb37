/** Just enough of WAV to cut and join what Remotion writes: 16 bits a sample, uncompressed. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';

export interface WavFacts {
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Where the samples begin, in bytes, and how many there are of each channel. */
  readonly dataStart: number;
  readonly samples: number;
}

const bytesPerSample = 2;
const pcm = 1;
const headBytes = 64 * 1024;

const readHead = async (handle: FileHandle): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.subarray(0, bytesRead);
};

/** Where the chunk of this kind has its content, and how long that is. A chunk of odd length is followed by a byte that means nothing. */
const findChunk = (head: Buffer, kind: string): { readonly start: number; readonly length: number } => {
  for (let at = 12; at + 8 <= head.length; ) {
    const length = head.readUInt32LE(at + 4);
    if (head.toString('latin1', at, at + 4) === kind) return { start: at + 8, length };
    at += 8 + length + (length % 2);
  }
  throw new Error(`This is no WAV: it has no "${kind}".`);
};

const factsIn = (head: Buffer, fileBytes: number): WavFacts => {
  const format = findChunk(head, 'fmt ').start;
  if (head.readUInt16LE(format) !== pcm || head.readUInt16LE(format + 14) !== bytesPerSample * 8) {
    throw new Error('This WAV has other samples than plain ones of 16 bits.');
  }
  const channels = head.readUInt16LE(format + 2);
  const data = findChunk(head, 'data');
  const bytes = Math.min(data.length, fileBytes - data.start);
  return {
    sampleRate: head.readUInt32LE(format + 4),
    channels,
    dataStart: data.start,
    samples: Math.floor(bytes / (bytesPerSample * channels)),
  };
};

export const readWavFacts = async (path: string): Promise<WavFacts> => {
  const handle = await open(path);
  try {
    return factsIn(await readHead(handle), (await handle.stat()).size);
  } finally {
    await handle.close();
  }
};

/** Whether all samples are zero. */
export const isSilentWav = async (path: string): Promise<boolean> => {
  const { dataStart } = await readWavFacts(path);
  for await (const bytes of createReadStream(path, { start: dataStart })) {
    if ((bytes as Buffer).some((byte) => byte !== 0)) return false;
  }
  return true;
};

const wavHeader = (
  { sampleRate, channels }: Pick<WavFacts, 'sampleRate' | 'channels'>,
  samples: number,
): Buffer => {
  const blockBytes = channels * bytesPerSample;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples * blockBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(pcm, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * blockBytes, 28);
  header.writeUInt16LE(blockBytes, 32);
  header.writeUInt16LE(bytesPerSample * 8, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples * blockBytes, 40);
  return header;
};

/** Of a silent file only its format is kept: `wavsInRow` makes up the rest, and nothing has to be carried from worker to worker. */
export const emptyWav = async (path: string): Promise<void> =>
  writeFile(path, wavHeader(await readWavFacts(path), 0));

export interface WavPiece extends WavFacts {
  readonly path: string;
  /** So many samples it is to have: what it has beyond is cut off, what it lacks is silence. */
  readonly wanted: number;
}

/** One WAV of all pieces, of which the first says the format. At least one. */
export async function* wavsInRow(pieces: readonly WavPiece[]): AsyncGenerator<Buffer> {
  const [first] = pieces;
  if (first === undefined) throw new Error('There is nothing to put in a row.');
  const blockBytes = first.channels * bytesPerSample;
  yield wavHeader(
    first,
    pieces.reduce((sum, { wanted }) => sum + wanted, 0),
  );
  for (const { path, dataStart, samples, wanted } of pieces) {
    const taken = Math.min(samples, wanted);
    if (taken > 0)
      yield* createReadStream(path, { start: dataStart, end: dataStart + taken * blockBytes - 1 });
    if (wanted > taken) yield Buffer.alloc((wanted - taken) * blockBytes);
  }
}
