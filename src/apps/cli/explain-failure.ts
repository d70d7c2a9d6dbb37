import { ApiError } from '../../client/api-error.ts';
import { RendermillError } from '../../core/errors.ts';
import { toDatabaseError } from '../../platform/db/errors.ts';

/** One sentence for a person: what was wrong and what to do. The stack only for whoever looks for the place. */
export const explainFailure = (thrown: unknown, options: { stack: boolean }): string => {
  const error = toDatabaseError(thrown);
  const stack = options.stack && error instanceof Error ? `\n${stackOf(error)}` : '';
  return `rendermill: ${sentenceOf(error)}${stack}`;
};

const sentenceOf = (error: unknown): string => {
  if (error instanceof RendermillError) {
    const unavailable = error.code === 'database_unavailable' || error.code === 'queue_unavailable';
    return unavailable ? `${error.message}${because(error.cause)}` : error.message;
  }
  if (error instanceof ApiError) {
    if (error.code === 'unreachable')
      return `${error.message} Is it up? See rendermill up, --url and RENDERMILL_URL.`;
    if (error.code === 'unauthenticated') return `${error.message} See --key and RENDERMILL_API_KEY.`;
    return error.requestId !== undefined && error.status >= 500
      ? `${error.message} (request ${error.requestId})`
      : error.message;
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `${message} (not expected; LOG_LEVEL=debug shows where)`;
};

/** Several addresses of one host give one error without a text of its own. */
const because = (cause: unknown): string => {
  if (cause instanceof AggregateError) return because(cause.errors[0]);
  return cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
};

const stackOf = (error: Error): string =>
  error.cause instanceof Error ? `${error.stack}\ncaused by ${stackOf(error.cause)}` : (error.stack ?? '');
