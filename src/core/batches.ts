/** Words of a batch: a job of several exports, its sizes, and the life of its runs. */

/** A campaign: variants × sizes. A CSV import: rows × sizes. */
export const jobTypes = ['campaign', 'csv_import'] as const;
export type JobType = (typeof jobTypes)[number];

/** The life of a run: `accepted → running → completed / failed / canceled`. Completed: at least one cell succeeded. */
export const runStatuses = ['accepted', 'running', 'completed', 'failed', 'canceled'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const isClosed = (status: RunStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'canceled';

export interface BatchSize {
  /** Unique within the batch. */
  readonly name: string;
  /** Pixels of the layout. */
  readonly width: number;
  readonly height: number;
  /** What the size is for, as a folder of the archive: phone, tablet, banner … */
  readonly device: string | null;
}

/** Job ids of the campaign queue name the planning, as those of renders do. */
export const batchJobId = (batchId: string, run: number, epoch: number): string =>
  `batch-${batchId}-${run}-${epoch}`;
