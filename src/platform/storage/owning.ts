import type { Readable } from 'node:stream';

/**
 * From the first moment: a body that fails while we are still opening files would else end the process, and one that we refuse
 * would stay open.
 */
export const owning = async <T>(body: Readable, action: () => Promise<T>): Promise<T> => {
  body.once('error', () => undefined);
  try {
    return await action();
  } finally {
    body.destroy();
  }
};
