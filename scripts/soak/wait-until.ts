import { setTimeout as delay } from 'node:timers/promises';

/** Polls until it holds; false: it did not in time. */
export const waitUntil = async (
  holds: () => Promise<boolean>,
  { withinMs, everyMs = 200 }: { withinMs: number; everyMs?: number },
): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > deadline) return false;
    await delay(everyMs);
  }
};
