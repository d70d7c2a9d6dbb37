import { RendermillError } from '../../../core/errors.ts';

const overtime = (maxMs: number): RendermillError =>
  new RendermillError('render_timeout', {
    message: `The render took longer than the ${maxMs / 1000} seconds that are allowed.`,
    details: { maxRenderMs: maxMs },
  });

/**
 * The work, unless the signal is faster (`render_canceled`) or the time is up (`render_timeout`); then the work goes on unheard.
 */
export const untilAborted = async <T>(signal: AbortSignal, maxMs: number, work: Promise<T>): Promise<T> => {
  work.catch(() => undefined);
  const listening = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const given = new Promise<never>((_, reject) => {
    const refuse = () => reject(new RendermillError('render_canceled'));
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse, { once: true, signal: listening.signal });
    timer = setTimeout(() => reject(overtime(maxMs)), maxMs);
  });
  try {
    return await Promise.race([work, given]);
  } finally {
    clearTimeout(timer);
    listening.abort();
  }
};
