import { setImmediate as nextTurn } from 'node:timers/promises';

/** To be awaited between the pieces of long work: lets others have their turn when this one has lasted long enough. */
export type Pause = () => Promise<void>;

const turnMs = 15;

export const createPause = (): Pause => {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < turnMs) return;
    await nextTurn();
    began = performance.now();
  };
};
