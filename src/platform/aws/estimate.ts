/**
 * What a render costs on so many functions and how long it takes: a model to choose the width by, not a promise. Every function starts
 * (its environment, its browser, the site), then renders its share of the frames one after the other; a video's launch function lives
 * through all of it. Prices are those of AWS' list that the Remotion version brings with it; storage and traffic are not in them.
 */
import { RendermillError } from '../../core/errors.ts';

/** Remotion's limits for one render. */
const fewestFramesPerFunction = 5;
const mostFunctionsPerRender = 200;

export const usualWidths: readonly number[] = [1, 5, 20, 75, 200];

export interface Work {
  readonly kind: 'video' | 'stills';
  /** Frames of the video, or stills. */
  readonly count: number;
  readonly msPerFrame: number;
  /** Until a function renders its first frame. */
  readonly startupMs: number;
}

export interface Usage {
  readonly functions: number;
  readonly invocations: number;
  /** Of all functions together. */
  readonly billedMs: number;
  readonly wallMs: number;
}

const planVideo = ({ count, msPerFrame, startupMs }: Work, functions: number): Usage => {
  const chunkMs = startupMs + Math.ceil(count / functions) * msPerFrame;
  // On one function the launch function renders by itself; else it starts, plans, and waits for the others.
  const wallMs = functions === 1 ? chunkMs : startupMs + chunkMs;
  const billedMs = functions === 1 ? wallMs : wallMs + functions * startupMs + count * msPerFrame;
  // The call that starts it is an invocation of its own.
  return { functions, invocations: 1 + (functions === 1 ? 1 : 1 + functions), billedMs, wallMs };
};

const planStills = ({ count, msPerFrame, startupMs }: Work, functions: number): Usage => {
  const used = Math.min(functions, count);
  return {
    functions,
    invocations: count,
    billedMs: used * startupMs + count * msPerFrame,
    wallMs: startupMs + Math.ceil(count / used) * msPerFrame,
  };
};

export const mayBeSoWide = ({ kind, count }: Work, functions: number): boolean => {
  if (kind === 'stills') return functions <= count;
  return (
    functions === 1 || (functions <= mostFunctionsPerRender && count / functions >= fewestFramesPerFunction)
  );
};

/** Throws `invalid_request` for a width that Remotion would refuse. */
export const planUsage = (work: Work, functions: number): Usage => {
  if (mayBeSoWide(work, functions))
    return work.kind === 'video' ? planVideo(work, functions) : planStills(work, functions);
  throw new RendermillError('invalid_request', {
    message:
      work.kind === 'stills'
        ? `${work.count} stills cannot use ${functions} functions: each takes at least one.`
        : `${work.count} frames cannot go to ${functions} functions: a render takes at most ${mostFunctionsPerRender}, each with at least ${fewestFramesPerFunction} frames.`,
  });
};
