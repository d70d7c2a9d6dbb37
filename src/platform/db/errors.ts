/** Postgres' errors are recognised here, once, and become codes of ours. */
import { RendermillError } from '../../core/errors.ts';

// Class 08: connection exceptions; class 57P: the server goes down, comes up, or ends our session; 53300: too many connections.
const unavailableStates = /^(08...|57P0[1-5]|53300)$/;
const unavailableSystemErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
const unavailableTexts = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

export const isDatabaseUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unavailableStates.test(code) || unavailableSystemErrors.has(code) || unavailableTexts.test(error.message);
};

/** Leaves errors of ours, and of others, as they are. */
export const toDatabaseError = (error: unknown): unknown =>
  isDatabaseUnavailable(error) ? new RendermillError('database_unavailable', { cause: error }) : error;
