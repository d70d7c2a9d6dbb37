import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { WrittenObject } from '../contract.ts';

export interface CutBody {
  /** Of the same length each, but for the last; none of an empty body. */
  readonly parts: AsyncGenerator<Buffer, void, undefined>;
  /** Of what was cut so far. */
  written(): WrittenObject;
}

/** In memory are the bytes of one part, and the chunk that completes it. */
export const cutParts = (body: Readable, partBytes: number): CutBody => {
  const hash = createHash('sha256');
  let sizeInBytes = 0;

  async function* cut(): CutBody['parts'] {
    let chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body) {
      let rest = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
      hash.update(rest);
      sizeInBytes += rest.length;
      while (length + rest.length >= partBytes) {
        const end = rest.subarray(0, partBytes - length);
        yield Buffer.concat([...chunks, end], partBytes);
        rest = rest.subarray(end.length);
        chunks = [];
        length = 0;
      }
      if (rest.length > 0) chunks.push(rest);
      length += rest.length;
    }
    if (length > 0) yield Buffer.concat(chunks, length);
  }

  return { parts: cut(), written: () => ({ sizeInBytes, sha256: hash.copy().digest('hex') }) };
};
