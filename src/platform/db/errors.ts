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

/** NUL anywhere, and half of a surrogate pair in JSON: both can be sent to us, and neither can be kept. */
const isUnstorableText = (error: unknown): boolean => {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const isHalfPair = error.code === '22P02' && 'detail' in error && /surrogate/.test(String(error.detail));
  return error.code === '22021' || error.code === '22P05' || isHalfPair;
};

/** Leaves errors of ours, and of others, as they are. */
export const toDatabaseError = (error: unknown): unknown => {
  if (isDatabaseUnavailable(error)) return new RendermillError('database_unavailable', { cause: error });
  if (!isUnstorableText(error)) return error;
  return new RendermillError('invalid_request', {
    message: 'Text must not contain the character U+0000 or half of a surrogate pair.',
    cause: error,
  });
};
