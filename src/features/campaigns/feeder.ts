/**
 * The feeder of the campaign queue moves runs that have something to plan, or to cancel, from Postgres into the queue: woken by the
 * commit, and feeding again what the queue has lost. Any process may run one; each run goes to one of them.
 */
import { batchJobId } from '../../core/batches.ts';
import { type FedRun, fedRuns, feedDueRuns, refeedRuns } from '../../domain/batches/due-runs.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { JobQueue, JobState, QueueJob } from '../../platform/queue/contract.ts';

export interface CampaignFeederDeps {
  readonly db: Database;
  /** The campaign queue. */
  readonly queue: JobQueue;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A commit wakes the feeder; this is for the notification that was lost. */
const lookEveryMs = 1_000;
const reconcileEveryMs = 5_000;
/** Younger ones may still be on their way into the queue. */
const settledAfterMs = 5_000;

const jobIdOf = ({ batchId, run, epoch }: FedRun): string => batchJobId(batchId, run, epoch);

const toJob = (fed: FedRun): QueueJob => ({
  id: jobIdOf(fed),
  name: 'batch',
  data: { batchId: fed.batchId, run: fed.run, epoch: fed.epoch },
});

/** A run that is due must have a job that will still run. */
const isLost = (state: JobState | undefined): boolean =>
  state === undefined || state === 'missing' || state === 'failed' || state === 'completed';

export interface CampaignFeeder {
  wake(): void;
  stop(): Promise<void>;
}

export const startCampaignFeeder = (deps: CampaignFeederDeps): CampaignFeeder => {
  const onError = (error: unknown) =>
    deps.log.warn({ err: error }, 'the feeder of campaigns could not do its round; it will try again');
  const feeding = startWakeableLoop({ everyMs: lookEveryMs, round: () => feedAll(deps), onError });
  const reconciling = startWakeableLoop({
    everyMs: reconcileEveryMs,
    round: async () => {
      if ((await reconcileRuns(deps)) > 0) feeding.wake();
    },
    onError,
  });
  const off = deps.listener.on('rendermill_batch_feed', feeding.wake);
  return {
    wake: feeding.wake,
    stop: async () => {
      off();
      await Promise.all([feeding.stop(), reconciling.stop()]);
    },
  };
};

const feedAll = async (deps: CampaignFeederDeps): Promise<void> => {
  while ((await feed(deps)) > 0);
};

const feed = async ({ db, queue, clock }: CampaignFeederDeps): Promise<number> => {
  const due = await feedDueRuns(db, clock.now());
  if (due.length === 0) return 0;
  try {
    await queue.add(due.map(toJob));
    return due.length;
  } catch (error) {
    // Due again; should this fail too, the reconciliation finds them.
    await refeedRuns(db, due, clock.now());
    throw error;
  }
};

/** Returns how many runs are due again. */
export const reconcileRuns = async ({ db, queue, clock, log }: CampaignFeederDeps): Promise<number> => {
  const fed = await fedRuns(db, settledAfterMs, clock.now());
  if (fed.length === 0) return 0;
  const states = await queue.states(fed.map(jobIdOf));
  const lost = fed.filter((one) => isLost(states.get(jobIdOf(one))));
  const runs = await refeedRuns(db, lost, clock.now());
  if (runs > 0) log.warn({ runs }, 'the campaign queue had lost these runs; they are planned again');
  return runs;
};
