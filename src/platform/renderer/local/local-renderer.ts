import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RendermillError } from '../../../core/errors.ts';
import type {
  RenderOptions,
  RenderResult,
  RenderSpec,
  StillItem,
  StillsSpec,
  WarmRenderer,
} from '../contract.ts';
import type { ChildSettings } from './messages.ts';
import {
  type LocalRendererOptions,
  type LocalRendererSettings,
  tabsPerRender,
  withDefaults,
} from './options.ts';
import { claimDirectory } from './owner.ts';
import { createChildPool, type Lease } from './pool/child-pool.ts';
import type { RenderChild } from './pool/render-child.ts';
import { watchRender } from './watchdog.ts';

/** Remotion's cancel signal is heard within milliseconds; a page in an endless loop never hears it. */
const cancelPatienceMs = 2_000;

const childSettings = (settings: LocalRendererSettings): ChildSettings => ({
  browserExecutable: settings.browserExecutable,
  allowedHosts: settings.allowedHosts,
  delayRenderTimeoutMs: settings.delayRenderTimeoutMs,
  mediaCacheMb: settings.mediaCacheMb,
  tabs: tabsPerRender(settings.slots),
});

/** Rejects some time after an abort: the child first gets the chance to end its work by itself. */
const rejectOnAbort = (
  child: RenderChild,
  signal: AbortSignal,
  answer: Promise<unknown>,
  finished: AbortSignal,
): Promise<never> =>
  new Promise((_, reject) => {
    const onAbort = async (): Promise<void> => {
      child.cancel();
      await Promise.race([answer.catch(() => undefined), sleep(cancelPatienceMs)]);
      reject(new RendermillError('render_canceled'));
    };
    if (signal.aborted) void onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: finished });
  });

/** The child's answer, unless the watchdog or the caller is faster. */
const supervise = async (
  child: RenderChild,
  spec: RenderSpec,
  settings: LocalRendererSettings,
  options: { readonly signal: AbortSignal; readonly onProgress: RenderOptions['onProgress'] },
): Promise<RenderResult> => {
  const watchdog = watchRender(child, { ...settings, maxRenderMs: spec.limits.maxRenderMs });
  const answer = child.render({
    spec,
    settings: childSettings(settings),
    onProgress: (progress) => {
      watchdog.beat();
      if (progress !== null) options.onProgress?.(progress);
    },
  });
  const finished = new AbortController();
  const canceled = rejectOnAbort(child, options.signal, answer, finished.signal);
  try {
    const result = await Promise.race([answer, watchdog.alarm, canceled]);
    options.signal.throwIfAborted();
    return result;
  } finally {
    watchdog.stop();
    finished.abort();
  }
};

/**
 * Renders on this machine, in child processes that can be lost without loss: what a composition does to its browser, its
 * encoder or its memory never reaches the worker. A promise of `render` rejects only after all processes of that render are gone.
 */
export const createLocalRenderer = (options: LocalRendererOptions): WarmRenderer => {
  claimDirectory(options.workDirectory);
  const settings = withDefaults({ ...options, workDirectory: realpathSync(options.workDirectory) });
  const pool = createChildPool(settings);
  const closing = new AbortController();
  let closed: Promise<void> | null = null;

  const run = async (lease: Lease, spec: RenderSpec, renderOptions: RenderOptions, signal: AbortSignal) => {
    try {
      const result = await supervise(lease.child, spec, settings, {
        signal,
        onProgress: renderOptions.onProgress,
      });
      void lease.release('keep');
      return result;
    } catch (error) {
      await lease.release('end');
      await rm(spec.outputPath, { force: true });
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    closing.abort();
    await pool.close();
    await rm(settings.workDirectory, { recursive: true, force: true, maxRetries: 3 });
  };

  const renderer: WarmRenderer = {
    mode: 'local',
    version: 'local',
    renderStills: async (spec, { signal, onOutcome }) => {
      for (const [index, item] of spec.items.entries()) {
        try {
          const result = await renderer.render(toRenderSpec(spec, item), signal ? { signal } : {});
          onOutcome({ index, type: 'rendered', result });
        } catch (error) {
          const known =
            error instanceof RendermillError ? error : new RendermillError('render_failed', { cause: error });
          if (known.code === 'render_canceled' || known.code === 'shutting_down') throw known;
          onOutcome({ index, type: 'failed', error: known });
        }
      }
    },
    render: async (spec, renderOptions = {}) => {
      const signal = AbortSignal.any([
        closing.signal,
        ...(renderOptions.signal ? [renderOptions.signal] : []),
      ]);
      try {
        const lease = await pool.acquire(spec, signal);
        return await run(lease, spec, renderOptions, signal);
      } catch (error) {
        if (renderOptions.signal?.aborted) throw new RendermillError('render_canceled');
        if (closing.signal.aborted) throw new RendermillError('shutting_down');
        throw error;
      }
    },
    trim: () => pool.trim(),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
  return renderer;
};

const toRenderSpec = (
  { items: _items, maxStillMs, format, ...spec }: StillsSpec,
  item: StillItem,
): RenderSpec => ({
  ...spec,
  inputProps: item.inputProps,
  output: { kind: 'still', format, frame: item.frame },
  outputPath: item.outputPath,
  limits: { maxDurationSeconds: null, maxRenderMs: maxStillMs },
});
