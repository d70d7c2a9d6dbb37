/**
 * The queue port: a courier of ids. Postgres decides what is to be done; the queue hands it out, keeps the lock, retries and
 * finds stalled work. Both backends (Redis, Postgres) behave alike, which the contract suite shows.
 */

export interface QueueJob {
  /** Unique per planning: `<kind>-<row id>-<epoch>`; adding an id twice adds one job. */
  readonly id: string;
  readonly name: string;
  /** Ids only, under 200 bytes. */
  readonly data: Readonly<Record<string, string | number>>;
  /** 0 to 2,097,151; lower runs first; absent or 0: first of all. */
  readonly priority?: number;
}

export interface ActiveJob extends QueueJob {
  /** Attempts that ended in a failure before this one. */
  readonly attemptsMade: number;
  readonly attemptsAllowed: number;
  /** Aborted when the job's lock is lost (another worker may have it now) or when the worker is made to stop at once. */
  readonly signal: AbortSignal;
}

/** Thrown by a handler: this job is not to be tried again. */
export class GiveUpError extends Error {
  override readonly name = 'GiveUpError';
}

export type JobHandler = (job: ActiveJob) => Promise<void>;

/** `missing` means that the queue knows nothing of it: lost, or finished and cleaned away. */
export type JobState = 'waiting' | 'active' | 'delayed' | 'completed' | 'failed' | 'missing';

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface QueueWorker {
  /** Takes no new work from now on, waits for running handlers up to the deadline, then aborts their signals; idempotent. */
  close(deadlineMs: number): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface JobQueue {
  readonly name: string;
  readonly backend: 'redis' | 'postgres';
  add(jobs: readonly QueueJob[]): Promise<void>;
  states(ids: readonly string[]): Promise<ReadonlyMap<string, JobState>>;
  /** Removes a job that no worker holds; says whether it did. */
  remove(id: string): Promise<boolean>;
  counts(): Promise<QueueCounts>;
  /** Rejects with `queue_unavailable`. */
  ping(): Promise<void>;
  startWorker(concurrency: number, handler: JobHandler): Promise<QueueWorker>;
  close(): Promise<void>;
}
