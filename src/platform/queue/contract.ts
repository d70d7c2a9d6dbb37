/**
 * The queue port: a courier of ids. Postgres decides what is to be done; the queue hands it out, keeps the lock, retries and
 * finds stalled work. Both backends (Redis, Postgres) behave alike, which the contract suite shows.
 */

export interface QueueJob {
  /** Unique per planning: `<kind>-<row id>-<epoch>`, ends in a hyphen and digits, no colon; adding an id twice adds one job. */
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
  /**
   * Aborted when the job's lock is lost (another worker may have it now; the reason is `render_lost`) or when the worker is made
   * to stop at once (`shutting_down`).
   */
  readonly signal: AbortSignal;
}

/** Thrown by a handler: this job is not to be tried again. */
export class GiveUpError extends Error {
  override readonly name = 'GiveUpError';
}

/** Rejecting is a failed attempt, unless the worker was made to stop: then the job goes back and keeps its attempts. */
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
  /**
   * Takes no new work from now on, waits for running handlers up to the deadline, then aborts their signals; a handler that
   * does not end within two seconds after that is left behind, and its job goes to another worker when its lock runs out.
   * May be called again, to bring the end nearer. Never rejects.
   */
  close(deadlineMs: number): Promise<void>;
  /** Takes no new work; running handlers go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Every call rejects with `queue_unavailable` within seconds when the queue is away, and with `shutting_down` after close. */
export interface JobQueue {
  readonly name: string;
  readonly backend: 'redis' | 'postgres';
  /** In this order. A call that rejects may have added some of them; adding all of them again is safe. */
  add(jobs: readonly QueueJob[]): Promise<void>;
  /** Has an entry for each id. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, JobState>>;
  /** Removes a job that no worker holds; says whether it did. */
  remove(id: string): Promise<boolean>;
  counts(): Promise<QueueCounts>;
  ping(): Promise<void>;
  /** The worker outlives the queue's server: it goes on when that is back. */
  startWorker(concurrency: number, handler: JobHandler): Promise<QueueWorker>;
  /** Closes its workers too, at once. */
  close(): Promise<void>;
}
