/** BullMQ's, ioredis' and pg's errors become codes of ours here. */
import { RendermillError } from '../../core/errors.ts';

/** Whatever stops an operation on the queue, the caller can do the same about it: try again, or let the feeder do it. */
export const toQueueError = (error: unknown): RendermillError =>
  error instanceof RendermillError
    ? error
    : new RendermillError('queue_unavailable', { cause: withoutBallast(error) });

export const queueTimeout = (what: string, milliseconds: number): RendermillError =>
  new RendermillError('queue_unavailable', {
    cause: new Error(`${what} took longer than ${milliseconds} ms`),
  });

/**
 * For a log: without what drivers hang on their errors. ioredis adds the command that failed (for BullMQ's, a script of twenty
 * thousand characters), pg's pool the whole client.
 */
export const withoutBallast = (error: unknown): unknown => {
  if (error instanceof Error) {
    Reflect.deleteProperty(error, 'command');
    Reflect.deleteProperty(error, 'client');
  }
  return error;
};
