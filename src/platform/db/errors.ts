/** Postgres' errors are recognised here, once, and become codes of ours. */
import { RendermillError } from '../../core/errors.ts';

// Class 08: connection exceptions; class 57P: the server goes down, comes up, or ends our session; 53300: too many connections.
const unavailableStates = /^(08...|57P0[1-5]|53300)$/;
const unavailableSystemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
const unavailableTexts =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

export const isDatabaseUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    unavailableStates.test(code) || unavailableSystemErrors.has(code) || unavailableTexts.test(error.message)
  );
};

/** A lock or a statement took too long, or two waited for each other: it says nothing of what was asked, and may be asked again. */
const congestedStates = /^(57014|55P03|40P01|40001)$/;

export const isDatabaseCongested = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && congestedStates.test(String(error.code));

/** What was sent to us and cannot be kept; else undefined. */
const unstorable = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  // 22021 and 22P05: NUL in a text and in JSON. 22P02 is any malformed value; of JSON, half of a surrogate pair.
  const isHalfPair = error.code === '22P02' && 'detail' in error && /surrogate/.test(String(error.detail));
  if (error.code === '22021' || error.code === '22P05' || isHalfPair) {
    return 'Text must not contain the character U+0000 or half of a surrogate pair.';
  }
  return error.code === '22003' ? 'A number is larger than can be kept.' : undefined;
};

/** Leaves errors of ours, and of others, as they are. */
export const toDatabaseError = (error: unknown): unknown => {
  if (isDatabaseUnavailable(error)) return new RendermillError('database_unavailable', { cause: error });
  const message = unstorable(error);
  return message === undefined ? error : new RendermillError('invalid_request', { message, cause: error });
};
