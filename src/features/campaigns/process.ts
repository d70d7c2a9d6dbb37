/**
 * A job of the campaign queue: makes exports of a run's cells, a part at a time, or cancels what waits of it. Each part is a
 * transaction that looks whether it is still wanted, so the job may be done twice, by two at once, or again after a crash.
 */
import { getRun } from '../../domain/batches/batch.ts';
import type { FedRun } from '../../domain/batches/due-runs.ts';
import { sweepCanceled } from '../../domain/exports/cancel-batch.ts';
import { findReusable, type ReusableFile } from '../../domain/exports/find-reusable.ts';
import { planCells, type RunPlan, readNextCells } from '../../domain/exports/plan-cells.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { ActiveJob, JobHandler } from '../../platform/queue/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';

export type CampaignCheckpoint = 'part_planned' | 'part_canceled';

export interface CampaignProcessorDeps {
  readonly db: Database;
  readonly storage: Storage;
  readonly clock: Clock;
  /** Of the renderer that will render the cells: files of another are not used again. */
  readonly rendererVersion: string;
  readonly checkpoint?: (name: CampaignCheckpoint) => void;
}

/** A transaction of a second or so: rows, their events, and the completion of those whose file is there. */
const cellsAPart = 500;
/** Rendering begins when the first part is there. */
const cellsAtFirst = 200;

export const createCampaignProcessor =
  (deps: CampaignProcessorDeps): JobHandler =>
  async (job) => {
    const fed = runOf(job);
    await planRun(deps, fed, job.signal);
    await sweepRun(deps, fed, job.signal);
  };

const runOf = ({ data }: ActiveJob): FedRun => ({
  batchId: String(data.batchId),
  run: Number(data.run),
  epoch: Number(data.epoch),
});

const planRun = async (deps: CampaignProcessorDeps, fed: FedRun, signal: AbortSignal): Promise<void> => {
  let isFirst = true;
  for (;;) {
    signal.throwIfAborted();
    const limit = isFirst ? cellsAtFirst : cellsAPart;
    isFirst = false;
    const plan = await readNextCells(deps.db, fed, limit, deps.rendererVersion);
    if (!plan) return;
    const reusable = await findStoredFiles(deps, plan);
    // None planned: someone else has, or it was canceled meanwhile. The next look tells which.
    await deps.db.transaction().execute((tx) => planCells(tx, fed, plan, reusable, deps.clock.now()));
    deps.checkpoint?.('part_planned');
  }
};

/** By content hash. What was recorded and is no longer in storage, or is not what was recorded, is rendered again. */
const findStoredFiles = async (
  { db, storage, clock }: CampaignProcessorDeps,
  { batch, cells }: RunPlan,
): Promise<ReadonlyMap<string, ReusableFile>> => {
  const hashes = cells.flatMap((cell) => cell.contentHash ?? []);
  const found = await findReusable(db, batch.organization_id, hashes, clock.now());
  const stored = await Promise.all(
    found.map(async (file) => ((await isStored(storage, file)) ? [file] : [])),
  );
  return new Map(stored.flat().map((file) => [file.contentHash, file]));
};

const isStored = async (storage: Storage, file: ReusableFile): Promise<boolean> =>
  (await storage.stat(file.storageKey))?.sizeInBytes === file.sizeInBytes;

const sweepRun = async (deps: CampaignProcessorDeps, fed: FedRun, signal: AbortSignal): Promise<void> => {
  const run = await getRun(deps.db, fed);
  if (run.epoch !== fed.epoch || run.cancel_requested_at === null) return;
  const sweep = () =>
    deps.db.transaction().execute((tx) => sweepCanceled(tx, fed, cellsAPart, deps.clock.now()));
  while ((await sweep()) > 0) {
    deps.checkpoint?.('part_canceled');
    signal.throwIfAborted();
  }
};
