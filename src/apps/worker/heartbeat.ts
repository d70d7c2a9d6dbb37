import { recordHeartbeat, removeWorker, type WorkerIdentity } from '../../domain/exports/workers.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { QueueWorker } from '../../platform/queue/contract.ts';
import type { LocalRenderer } from '../../platform/renderer/contract.ts';
import { freeBytes } from '../../platform/storage/disk-space.ts';
import type { Resources } from '../resources.ts';

const heartbeatMs = 3_000;

export interface Heartbeat {
  /** Announces that this worker takes no more work. */
  stop(): Promise<void>;
}

/**
 * Tells the feeder how many renders this worker can run, and keeps it from taking new work while the disk is nearly full: a render
 * that cannot be stored helps nobody.
 */
export const startHeartbeat = async (
  { config, db, clock, log }: Resources,
  worker: WorkerIdentity,
  concurrency: number,
  queueWorker: QueueWorker,
  renderer: Pick<LocalRenderer, 'trim'>,
): Promise<Heartbeat> => {
  let paused = false;

  const floor = config.MIN_FREE_DISK_MB * 1024 * 1024;

  const measure = async () =>
    Math.min(await freeBytes(config.home), await freeBytes(config.storageDirectory));

  /** A page can fill the disk of its browser, which stays warm: only ending it gives the space back. */
  const measureTrimmed = async () => {
    const free = await measure();
    if (free >= floor) return free;
    await renderer.trim();
    return measure();
  };

  const beat = async () => {
    const free = await measureTrimmed();
    const full = free < floor;
    if (full !== paused) {
      paused = full;
      log.warn(
        { freeMb: Math.floor(free / 1024 / 1024) },
        full ? 'the disk is nearly full: no new work' : 'the disk has room again',
      );
      await (full ? queueWorker.pause() : queueWorker.resume());
    }
    await recordHeartbeat(db, worker, full ? 0 : concurrency, clock.now());
  };

  await beat();
  const loop = startWakeableLoop({
    everyMs: heartbeatMs,
    round: beat,
    onError: (error) => log.warn({ err: error }, 'the heartbeat failed'),
  });
  return {
    stop: async () => {
      await loop.stop();
      await removeWorker(db, worker.id, clock.now());
    },
  };
};
