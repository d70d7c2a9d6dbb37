import type { Clock } from '../../src/platform/clock/clock.ts';

/** Right at the epoch, and so many times faster from there on; the same in every process. */
export const fastClock = (epochMs: number, speed: number): Clock => ({
  now: () => new Date(epochMs + (Date.now() - epochMs) * speed),
});
