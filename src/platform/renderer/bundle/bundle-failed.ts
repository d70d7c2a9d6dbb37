import { RendermillError } from '../../../core/errors.ts';

/** For the project's developer: what is wrong, where, and what to do. */
export const bundleFailed = (
  message: string,
  options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
): RendermillError => new RendermillError('bundle_failed', { message, ...options });
