/**
 * How long an archive will be, to the byte, before the first one is written. So writes archiver 8 (zip-stream, compress-commons)
 * an entry that is stored from a stream: a header, the bytes, and behind them a descriptor with checksum and size. A test holds
 * this against archives that it made; format: PKWARE's APPNOTE, sections 4.3.7 to 4.3.16.
 */
import { byteLength } from './safe-name.ts';

export interface ZipEntry {
  readonly name: string;
  readonly sizeInBytes: number;
}

const localHeader = 30;
const descriptor = 16;
const descriptorZip64 = 24;
const centralHeader = 46;
/** Id and length, then size, stored size and offset in eight bytes each. */
const extraZip64 = 28;
const end = 22;
/** The record of the end and the locator that finds it. */
const endZip64 = 56 + 20;

const max32 = 0xffff_ffff;
const max16 = 0xffff;

export const zipLength = (entries: readonly ZipEntry[]): number => {
  let offset = 0;
  let directory = 0;
  for (const { name, sizeInBytes } of entries) {
    const nameLength = byteLength(name);
    const large = sizeInBytes > max32;
    directory += centralHeader + nameLength + (large || offset > max32 ? extraZip64 : 0);
    offset += localHeader + nameLength + sizeInBytes + (large ? descriptorZip64 : descriptor);
  }
  const zip64 = entries.length > max16 || offset > max32 || directory > max32;
  return offset + directory + (zip64 ? endZip64 : 0) + end;
};
