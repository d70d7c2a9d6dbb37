/** Lines of a text by byte offsets, in one pass: offsets are asked for in rising order, and what lies before the last is forgotten. */
export interface LineIndex {
  add(chunk: Uint8Array): void;
  /** Of the text that was added, from 1. An end is \n, \r\n or \r. */
  lineAt(offset: number): number;
}

const [lineFeed, carriageReturn] = [10, 13];

export const createLineIndex = (firstLine: number): LineIndex => {
  const chunks: Uint8Array[] = [];
  let line = firstLine;
  /** Where `line` was counted to, and the offset of the first chunk that is kept. */
  let position = 0;
  let start = 0;
  let afterReturn = false;
  const count = (bytes: Uint8Array, from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const byte = bytes[index];
      if (byte === carriageReturn || (byte === lineFeed && !afterReturn)) line += 1;
      afterReturn = byte === carriageReturn;
    }
  };
  return {
    add: (chunk) => void chunks.push(chunk),
    lineAt: (offset) => {
      for (let first = chunks[0]; first !== undefined && position < offset; first = chunks[0]) {
        const end = Math.min(offset, start + first.length);
        count(first, position - start, end - start);
        position = end;
        if (end < start + first.length) break;
        start += first.length;
        chunks.shift();
      }
      return line;
    },
  };
};
