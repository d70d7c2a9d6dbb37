import { setTimeout as sleep } from 'node:timers/promises';
import { RendermillError } from '../../../core/errors.ts';
import type { RenderChild } from './pool/render-child.ts';
import type { Observation } from './processes/watched-tree.ts';

export interface WatchLimits {
  /** Wall clock of the whole render. */
  readonly maxRenderMs: number;
  readonly stallMs: number;
  readonly memoryLimitMb: number;
}

export interface RenderSigns extends Observation {
  readonly elapsedMs: number;
  readonly sinceProgressMs: number;
}

/** Null: all is well. */
export const judgeRender = (signs: RenderSigns, limits: WatchLimits): RendermillError | null => {
  if (signs.memoryMb > limits.memoryLimitMb) {
    return new RendermillError('render_out_of_memory', {
      message: `The render needed ${Math.round(signs.memoryMb)} MB of memory; ${limits.memoryLimitMb} MB are allowed.`,
      details: { memoryMb: Math.round(signs.memoryMb), memoryLimitMb: limits.memoryLimitMb },
    });
  }
  if (signs.browser === 'gone') return new RendermillError('browser_lost');
  if (signs.elapsedMs >= limits.maxRenderMs) {
    return new RendermillError('render_timeout', {
      message: `The render took longer than the ${limits.maxRenderMs / 1000} seconds that are allowed.`,
      details: { maxRenderMs: limits.maxRenderMs },
    });
  }
  if (signs.sinceProgressMs >= limits.stallMs) {
    return new RendermillError('render_stalled', {
      message: `The render made no progress for ${limits.stallMs / 1000} seconds.`,
      details: { stallMs: limits.stallMs },
    });
  }
  return null;
};

export interface Watchdog {
  /** Never resolves; rejects with what `judgeRender` found. */
  readonly alarm: Promise<never>;
  /** Progress was made. */
  beat(): void;
  /** The next of several begins, with the whole wall clock before it. */
  restart(): void;
  stop(): void;
}

/** A dead browser makes Remotion wait for ever, so it is looked for this often, together with the memory. */
const lookEveryMs = 750;

export const watchRender = (child: RenderChild, limits: WatchLimits): Watchdog => {
  let startedMs = performance.now();
  let progressedMs = startedMs;
  const stopped = new AbortController();
  const look = async (): Promise<RendermillError | null> => {
    const observation = await child.observe();
    const nowMs = performance.now();
    const signs = { ...observation, elapsedMs: nowMs - startedMs, sinceProgressMs: nowMs - progressedMs };
    return judgeRender(signs, limits);
  };
  const watch = async (): Promise<never> => {
    for (;;) {
      const verdict = await look();
      if (verdict !== null) throw verdict;
      await sleep(lookEveryMs, undefined, { signal: stopped.signal });
    }
  };
  const alarm = watch();
  // After `stop` nobody listens any more.
  alarm.catch(() => undefined);
  return {
    alarm,
    beat: () => {
      progressedMs = performance.now();
    },
    restart: () => {
      startedMs = performance.now();
      progressedMs = startedMs;
    },
    stop: () => stopped.abort(),
  };
};
