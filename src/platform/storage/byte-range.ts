import { RendermillError } from '../../core/errors.ts';
import type { ByteRange } from './contract.ts';

/** The part of the range that lies inside the object. */
export const fitRange = (range: ByteRange, sizeInBytes: number): ByteRange => {
  const end = Math.min(range.end, sizeInBytes - 1);
  if (range.start >= 0 && range.start <= end) return { start: range.start, end };
  throw new RendermillError('range_not_satisfiable', { details: { sizeInBytes } });
};
