import type { Channel, Listener } from './listener.ts';

export interface Bell {
  /** Resolves at the next ring, false where the time ran out first; a ring that came while nobody waited counts. */
  rung(milliseconds: number): Promise<boolean>;
  remove(): void;
}

/** Rings when one row is written: for whoever watches it. Also when the listener connected anew, and when the signal is aborted. */
export const createBell = (
  listener: Listener,
  watched: { readonly channel: Channel; readonly id: string; readonly signal: AbortSignal },
): Bell => {
  const { channel, id, signal } = watched;
  let pending = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    pending = true;
    wake?.();
  };
  const off = listener.on(channel, (payload) => {
    if (payload === id || payload === '') ring();
  });
  signal.addEventListener('abort', ring, { once: true });
  return {
    rung: async (milliseconds) => {
      if (!pending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      const was = pending;
      pending = false;
      return was;
    },
    remove: () => {
      off();
      signal.removeEventListener('abort', ring);
    },
  };
};
