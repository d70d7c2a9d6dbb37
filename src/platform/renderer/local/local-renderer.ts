import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { RendermillError } from '../../../core/errors.ts';
import type { LocalRenderer, RenderOptions, RenderResult, RenderSpec, StillsSpec } from '../contract.ts';
import { rendererVersion } from '../renderer-version.ts';
import { chunkJobs } from './chunk-jobs.ts';
import type { ChildSettings, WireStillOutcome } from './messages.ts';
import {
  type LocalRendererOptions,
  type LocalRendererSettings,
  tabsPerRender,
  withDefaults,
} from './options.ts';
import { claimDirectory } from './owner.ts';
import { createChildPool } from './pool/child-pool.ts';
import { createRunJob, superviseInChild } from './run-job.ts';
import { removeUntold, runStills } from './stills-run.ts';

const childSettings = (settings: LocalRendererSettings): ChildSettings => ({
  browserExecutable: settings.browserExecutable,
  allowedHosts: settings.allowedHosts,
  delayRenderTimeoutMs: settings.delayRenderTimeoutMs,
  mediaCacheMb: settings.mediaCacheMb,
  tabs: tabsPerRender(settings.slots),
});

/**
 * Renders on this machine, in child processes that can be lost without loss: what a composition does to its browser, its
 * encoder or its memory never reaches the worker. A promise of `render` rejects only after all processes of that render are gone.
 */
export const createLocalRenderer = async (options: LocalRendererOptions): Promise<LocalRenderer> => {
  const version = await rendererVersion(options.browserExecutable);
  claimDirectory(options.workDirectory);
  const settings = withDefaults({ ...options, workDirectory: realpathSync(options.workDirectory) });
  const pool = createChildPool(settings);
  const closing = new AbortController();
  let closed: Promise<void> | null = null;

  const runJob = createRunJob(pool, settings);

  const renderOne = (spec: RenderSpec, signal: AbortSignal, options?: RenderOptions): Promise<RenderResult> =>
    runJob(
      {
        tenant: spec,
        maxRenderMs: spec.limits.maxRenderMs,
        leaves: [spec.outputPath],
        options,
        begin: (child, onProgress) => child.render({ spec, settings: childSettings(settings), onProgress }),
      },
      signal,
    );

  const renderTogether = (
    spec: StillsSpec,
    signal: AbortSignal,
    onOutcome: (outcome: WireStillOutcome) => void,
  ): Promise<void> =>
    superviseInChild(
      pool,
      { tenant: spec, maxRenderMs: spec.maxStillMs, settings },
      signal,
      (child, watchdog) =>
        child.renderStills({
          spec,
          settings: childSettings(settings),
          onOutcome: (outcome) => {
            watchdog.restart();
            onOutcome(outcome);
          },
          onAlive: () => watchdog.beat(),
        }),
    );

  /** Says whose abort it was. */
  const untilAborted = async <T>(
    callers: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    try {
      return await work(AbortSignal.any([closing.signal, ...(callers ? [callers] : [])]));
    } catch (error) {
      if (callers?.aborted) throw new RendermillError('render_canceled');
      if (closing.signal.aborted) throw new RendermillError('shutting_down');
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    closing.abort();
    await pool.close();
    await rm(settings.workDirectory, { recursive: true, force: true, maxRetries: 3 });
  };

  return {
    mode: 'local',
    version,
    render: (spec, renderOptions = {}) =>
      untilAborted(renderOptions.signal, (signal) => renderOne(spec, signal, renderOptions)),
    renderStills: (spec, { signal: callers, onOutcome }) =>
      untilAborted(callers, async (signal) => {
        const told = new Set<number>();
        try {
          await runStills(
            spec,
            {
              renderTogether: (together, onWireOutcome) => renderTogether(together, signal, onWireOutcome),
              renderAlone: (alone) => renderOne(alone, signal),
            },
            {
              signal,
              onOutcome: (outcome) => {
                told.add(outcome.index);
                onOutcome(outcome);
              },
            },
          );
        } catch (error) {
          await removeUntold(spec, told);
          throw error;
        }
      }),
    ...chunkJobs(
      (job) => untilAborted(job.options?.signal, (signal) => runJob(job, signal)),
      childSettings(settings),
    ),
    trim: () => pool.trim(),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
};
