import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { renderModes } from '../../core/exports.ts';
import { newId } from '../../core/ids.ts';
import { createBundleCache } from '../../features/renders/bundle-cache.ts';
import { evictBundles } from '../../features/renders/evict-bundles.ts';
import { startFeeder } from '../../features/renders/feeder.ts';
import { createRenderProcessor } from '../../features/renders/process.ts';
import type { Checkpoint } from '../../features/renders/render-deps.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import { createLocalRenderer } from '../../platform/renderer/local/local-renderer.ts';
import { sweepLeftovers } from '../../platform/renderer/local/sweep-leftovers.ts';
import { placeOfFiles } from '../open-storage.ts';
import type { Resources } from '../resources.ts';
import { assertSameStorage } from '../storage-identity.ts';
import { startHeartbeat } from './heartbeat.ts';

/** What a killed worker of this machine left is gone within this, without waiting for another start. */
const sweepEveryMs = 60_000;

export interface RenderWorkerOptions {
  /** Renders at once. */
  readonly concurrency: number;
  readonly browserExecutable: string;
  readonly checkpoint?: (name: Checkpoint) => void;
}

/** Takes renders from the queue, and feeds it. Returns the worker's id. */
export const startRenderWorker = async (
  resources: Resources,
  options: RenderWorkerOptions,
): Promise<string> => {
  const { config, log, lifecycle, db, queue, listener, clock, storage } = resources;
  await assertSameStorage({ db, storage, place: placeOfFiles(config) }, { mayAdopt: false });
  const id = newId();
  const work = join(config.home, 'work');
  await mkdir(work, { recursive: true });
  const sweeping = startWakeableLoop({
    everyMs: sweepEveryMs,
    round: async () => void (await sweepLeftovers(work, log)),
    onError: (error) => log.warn({ err: error }, 'what dead workers left could not be removed'),
  });
  lifecycle.onStop('sweep', () => sweeping.stop());

  const bundles = join(config.home, 'cache', 'bundles');
  keepBundleCacheSmall(resources, bundles);

  const workDirectory = join(work, id);
  const renderer = await createLocalRenderer({
    workDirectory,
    slots: options.concurrency,
    browserExecutable: options.browserExecutable,
    allowedHosts: config.ALLOWED_HOSTS,
    memoryLimitMb: config.MEMORY_LIMIT_MB,
    stallMs: config.STALL_TIMEOUT_SECONDS * 1000,
    delayRenderTimeoutMs: config.DELAY_RENDER_TIMEOUT_SECONDS * 1000,
    recycleAfterRenders: config.RECYCLE_BROWSER_AFTER,
    log,
  });
  lifecycle.onStop('renderer', () => renderer.close());

  const feeder = startFeeder({ db, queue, mode: 'local', listener, clock, log });
  lifecycle.onStop('feeder', () => feeder.stop());

  const shared = {
    db,
    storage,
    bundles: createBundleCache({ directory: bundles, storage, clock }),
    listener,
    clock,
    log,
    workerId: id,
    outputDirectory: join(workDirectory, 'output'),
    timeLimits: {
      stillMs: config.STILL_TIMEOUT_SECONDS * 1000,
      videoMs: config.VIDEO_TIMEOUT_SECONDS * 1000,
    },
    ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
  };
  const chunks = { renderer, afterSeconds: config.CHUNK_AFTER_SECONDS };
  const queueWorker = await queue.startWorker(
    options.concurrency,
    createRenderProcessor({ ...shared, renderer, chunks }),
  );
  const lambdaWorker = await startLambda(resources, shared);
  const queueWorkers = lambdaWorker === null ? [queueWorker] : [queueWorker, lambdaWorker];
  const identity = { id, host: hostname(), pid: process.pid };
  const capacity = {
    concurrency: options.concurrency,
    lambdaConcurrency: lambdaWorker === null ? 0 : config.LAMBDA_RENDERS,
    renderModes: lambdaWorker === null ? (['local'] as const) : renderModes,
  };
  const heartbeat = await startHeartbeat(resources, identity, capacity, queueWorkers, renderer);
  feeder.wake();
  lifecycle.onStop('renders', async () => {
    await heartbeat.stop();
    await Promise.all(queueWorkers.map((one) => one.close(config.SHUTDOWN_SECONDS * 1000)));
  });
  return id;
};

const evictEveryMs = 3_600_000;
const dayMs = 86_400_000;

const keepBundleCacheSmall = ({ config, clock, log, lifecycle }: Resources, directory: string): void => {
  const idleDays = config.BUNDLE_CACHE_DAYS;
  if (idleDays === 0) return;
  const evicting = startWakeableLoop({
    everyMs: evictEveryMs,
    round: async () => {
      const evicted = await evictBundles(directory, new Date(clock.now().getTime() - idleDays * dayMs));
      if (evicted > 0) log.info({ evicted }, 'bundles that nobody renders from any more left this machine');
    },
    onError: (error) => log.warn({ err: error }, 'unused bundles could not be removed'),
  });
  lifecycle.onStop('bundle cache', () => evicting.stop());
};

/** Loaded only where it is set up: most workers have no use for AWS's library. */
const startLambda = async (
  resources: Resources,
  shared: Parameters<typeof import('./start-lambda-renders.ts').startLambdaRenders>[1],
) =>
  resources.lambdaQueue === null
    ? null
    : (await import('./start-lambda-renders.ts')).startLambdaRenders(resources, shared);
