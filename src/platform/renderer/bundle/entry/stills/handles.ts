import { continueRender } from 'remotion';

/** Handles of delayRender() that nobody has continued yet. A copy: Remotion adds to its own list. */
export const openHandles = (): readonly number[] => [...window.remotion_delayRenderHandles];

/** Continues what nobody is left to continue. */
export const releaseHandles = (kept: readonly number[]): void => {
  for (const handle of openHandles()) if (!kept.includes(handle)) continueRender(handle);
};

const pollMs = 5;

/** Until no other handles than these are open. Each of Remotion's handles has a deadline of its own. */
export const untilReleased = async (kept: readonly number[]): Promise<void> => {
  while (openHandles().some((handle) => !kept.includes(handle))) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
};
