/**
 * The feeder moves due exports from Postgres into the queue: woken by the commit, fair between organizations, keeping the queue
 * short, and feeding again what the queue has lost. Any process may run one; they take turns.
 */
import type { RenderMode } from '../../core/exports.ts';
import { plannedChunks, replanChunks } from '../../domain/exports/chunks/feed-chunks.ts';
import { type FedJob, type FedWork, jobIdOf } from '../../domain/exports/fed-work.ts';
import { planNext, plannedExports, replan } from '../../domain/exports/feed-exports.ts';
import { liveCapacity, liveLambdaCapacity } from '../../domain/exports/workers.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { JobQueue, JobState, QueueJob } from '../../platform/queue/contract.ts';

export interface FeederDeps {
  readonly db: Database;
  /** Of the mode: local work and what goes on at AWS have a queue each. */
  readonly queue: JobQueue;
  readonly mode: RenderMode;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Jobs in flight per render that the workers can run: one at work, one that waits at hand. */
const inFlightPerSlot = 2;
/** A commit wakes the feeder; this is for the notification that was lost. */
const lookEveryMs = 1_000;
const reconcileEveryMs = 5_000;
/** Younger plans may still be on their way into the queue. */
const settledAfterMs = 5_000;
const reconcileBatch = 1_000;

/** What has not ended must have a job that will still run. */
const isLost = (state: JobState | undefined): boolean =>
  state === undefined || state === 'missing' || state === 'failed' || state === 'completed';

const nameAndData = (one: FedWork): Pick<QueueJob, 'name' | 'data'> => {
  if (one.groupId !== null) return { name: 'group', data: { groupId: one.groupId } };
  return one.kind === 'chunk'
    ? { name: 'chunk', data: { chunkId: one.id, epoch: one.epoch } }
    : { name: 'render', data: { exportId: one.id, epoch: one.epoch } };
};

/** One job for each export or chunk that goes alone, and one for each group. */
const toJobs = (planned: readonly FedJob[]): QueueJob[] => {
  const jobs = new Map<string, QueueJob>();
  for (const one of planned) {
    const id = jobIdOf(one);
    jobs.set(id, { id, ...nameAndData(one), priority: one.priority });
  }
  return [...jobs.values()];
};

const backIntoLine = async ({ db, clock }: FeederDeps, lost: readonly FedWork[]): Promise<number> => {
  const exports = lost.filter(({ kind }) => kind === 'export');
  const chunks = lost.filter(({ kind }) => kind === 'chunk');
  return (await replan(db, exports, clock.now())) + (await replanChunks(db, chunks));
};

export interface Feeder {
  wake(): void;
  stop(): Promise<void>;
}

export const startFeeder = (deps: FeederDeps): Feeder => {
  const onError = (error: unknown) =>
    deps.log.warn({ err: error }, 'the feeder could not do its round; it will try again');
  const feeding = startWakeableLoop({ everyMs: lookEveryMs, round: () => feed(deps), onError });
  const reconciling: WakeableLoop = startWakeableLoop({
    everyMs: reconcileEveryMs,
    round: async () => {
      if ((await reconcile(deps)) > 0) feeding.wake();
    },
    onError,
  });
  const off = deps.listener.on('rendermill_feed', feeding.wake);
  return {
    wake: feeding.wake,
    stop: async () => {
      off();
      await Promise.all([feeding.stop(), reconciling.stop()]);
    },
  };
};

const feed = async (deps: FeederDeps): Promise<void> => {
  const now = deps.clock.now();
  const capacity = await (deps.mode === 'local' ? liveCapacity : liveLambdaCapacity)(deps.db);
  if (capacity === 0) return;
  const room = { mode: deps.mode, inFlight: capacity * inFlightPerSlot, slots: capacity };
  const planned = await planNext(deps.db, room, now);
  if (planned === null || planned.length === 0) return;
  try {
    await deps.queue.add(toJobs(planned));
  } catch (error) {
    // Back into the line; should this fail too, the reconciliation finds them.
    await backIntoLine(deps, planned);
    throw error;
  }
};

/** Returns how much went back into the line. */
export const reconcile = async (deps: FeederDeps): Promise<number> => {
  const { db, mode, clock } = deps;
  const aged = { ageMs: settledAfterMs, limit: reconcileBatch };
  const planned = [
    ...(await plannedExports(db, { ...aged, mode }, clock.now())),
    ...(mode === 'local' ? await plannedChunks(db, aged, clock.now()) : []),
  ];
  if (planned.length === 0) return 0;
  const states = await deps.queue.states([...new Set(planned.map(jobIdOf))]);
  const lost = planned.filter((one) => isLost(states.get(jobIdOf(one))));
  const replanned = await backIntoLine(deps, lost);
  if (replanned > 0)
    deps.log.warn({ jobs: replanned }, 'the queue had lost these jobs; they are planned again');
  return replanned;
};
