import { z } from 'zod';
import { runStatuses } from '../../core/batches.ts';
import { secondsLeft } from '../../core/campaign-estimate.ts';
import type { BatchRun } from '../../domain/batches/batch.ts';

const time = z.iso.datetime();

export const runProgressSchema = z
  .object({
    run: z.int(),
    done: z.int().describe('Cells that have come to their end: succeeded, failed or canceled'),
    total: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    canceled: z.int(),
    cached: z.int().describe('Of those that succeeded: files that were used again'),
    secondsLeft: z.number().nullable().describe('At the pace of this run; null: not known yet'),
  })
  .meta({ id: 'CampaignProgress' });

export type RunProgress = z.infer<typeof runProgressSchema>;

export const runSchema = z
  .object({
    run: z.int().describe('1, and one more for each retry of what failed'),
    status: z.enum(runStatuses),
    total: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    canceled: z.int(),
    cached: z.int(),
    cancelRequested: z.boolean(),
    createdAt: time,
    startedAt: time.nullable(),
    closedAt: time.nullable(),
  })
  .meta({ id: 'CampaignRun' });

const countsOf = ({ succeeded, failed, canceled, cached }: BatchRun) => ({
  succeeded,
  failed,
  canceled,
  cached,
});

export const presentRunProgress = (run: BatchRun, now: Date): RunProgress => {
  const done = run.succeeded + run.failed + run.canceled;
  return {
    run: run.run,
    done,
    total: run.total,
    ...countsOf(run),
    secondsLeft:
      run.closed_at !== null
        ? 0
        : run.started_at === null
          ? null
          : secondsLeft({ ...run, done, elapsedMs: now.getTime() - run.started_at.getTime() }),
  };
};

export const presentRun = (run: BatchRun): z.infer<typeof runSchema> => ({
  run: run.run,
  status: run.status,
  total: run.total,
  ...countsOf(run),
  cancelRequested: run.cancel_requested_at !== null,
  createdAt: run.created_at.toISOString(),
  startedAt: run.started_at?.toISOString() ?? null,
  closedAt: run.closed_at?.toISOString() ?? null,
});
