/** Remotion's own limits of one render. */
const maxFunctions = 200;
const minFramesPerFunction = 5;

/** How many functions Remotion is asked for: what the budget gives, within what it takes for so many frames. 1: the launch function renders. */
export const functionsFor = (frames: number, functions: number): number =>
  Math.max(1, Math.min(functions, maxFunctions, Math.floor(frames / minFramesPerFunction)));
