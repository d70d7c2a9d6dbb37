/** A place in a list of deliveries, as the cursor that a client gives back for the next page. */
import { RendermillError } from '../../core/errors.ts';

export const encodeSeq = (seq: number): string => Buffer.from(String(seq)).toString('base64url');

/** Throws `invalid_request` for what this API did not give out. */
export const decodeSeq = (cursor: string): number => {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RendermillError('invalid_request', {
    message: 'The cursor is not one that this API gave out.',
  });
};
