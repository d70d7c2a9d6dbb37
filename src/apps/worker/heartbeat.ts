import {
  recordHeartbeat,
  removeWorker,
  type WorkerIdentity,
  type WorkerState,
} from '../../domain/exports/workers.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { QueueWorker } from '../../platform/queue/contract.ts';
import type { LocalRenderer } from '../../platform/renderer/contract.ts';
import type { Resources } from '../resources.ts';
import { type FreeSpace, floorsOf, inMegabytes, measureFree, type Shortage, shortageOf } from './floors.ts';

const heartbeatMs = 3_000;

export interface Heartbeat {
  /** Announces that this worker takes no more work. */
  stop(): Promise<void>;
}

export interface HeartbeatOptions {
  /** What is left on this machine. */
  readonly measure?: () => Promise<FreeSpace>;
  readonly everyMs?: number;
}

/**
 * Tells the feeder how many renders this worker can run, and keeps it from taking new work while disk or memory run out: a render
 * that cannot be stored helps nobody, and one too many takes the others down with it.
 *
 * The first of `queueWorkers` renders on this machine. The others only watch renders elsewhere, which needs disk and hardly memory.
 */
export const startHeartbeat = async (
  { config, db, log }: Pick<Resources, 'config' | 'db' | 'log'>,
  worker: WorkerIdentity,
  capacity: Omit<WorkerState, 'paused'>,
  queueWorkers: readonly QueueWorker[],
  renderer: Pick<LocalRenderer, 'trim'>,
  { measure = () => measureFree(config), everyMs = heartbeatMs }: HeartbeatOptions = {},
): Promise<Heartbeat> => {
  const floors = floorsOf(config);
  const paused = new Set<QueueWorker>();
  let shortage: Shortage = null;

  /** A page can fill the disk of its browser, which stays warm and holds memory, too: only ending it gives both back. */
  const look = async () => {
    const free = await measure();
    if (shortageOf(free, floors, shortage) === null) return free;
    await renderer.trim();
    return measure();
  };

  const setPaused = async (one: QueueWorker, wanted: boolean) => {
    if (paused.has(one) === wanted) return;
    // Only what has succeeded counts: the next beat tries again.
    await (wanted ? one.pause() : one.resume());
    if (wanted) paused.add(one);
    else paused.delete(one);
  };

  const beat = async () => {
    const free = await look();
    const found = shortageOf(free, floors, shortage);
    if (found !== shortage) {
      shortage = found;
      log.warn(inMegabytes(free), sentences[found ?? 'none']);
    }
    for (const [index, one] of queueWorkers.entries()) {
      await setPaused(one, found === 'disk' || (found === 'memory' && index === 0));
    }
    await recordHeartbeat(db, worker, stateOf(capacity, found));
  };

  await beat();
  const loop = startWakeableLoop({
    everyMs,
    round: beat,
    onError: (error) => log.warn({ err: error }, 'the heartbeat failed'),
  });
  return {
    stop: async () => {
      await loop.stop();
      await removeWorker(db, worker.id);
    },
  };
};

const sentences: Readonly<Record<'disk' | 'memory' | 'none', string>> = {
  disk: 'the disk is nearly full: no new work',
  memory: 'the memory is nearly used up: no new renders on this machine',
  none: 'there is room again: new work is taken',
};

const stateOf = (
  { concurrency, lambdaConcurrency, renderModes }: Omit<WorkerState, 'paused'>,
  paused: Shortage,
): WorkerState => ({
  renderModes,
  concurrency: paused === null ? concurrency : 0,
  lambdaConcurrency: paused === 'disk' ? 0 : lambdaConcurrency,
  paused,
});
