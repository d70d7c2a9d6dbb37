import type { DefaultJobOptions, Job, JobsOptions, WorkerOptions } from 'bullmq';
import type { JobState } from './contract.ts';

export type JobData = Record<string, string | number>;
export type BullJob = Pick<Job<JobData>, 'name' | 'data' | 'attemptsMade' | 'opts' | 'moveToWait'> & {
  id?: string | undefined;
};

export interface BullNewJob {
  readonly name: string;
  readonly data: JobData;
  readonly opts: JobsOptions;
}

/** The parts of BullMQ's Queue that we use; the same on both backends. */
export interface BullQueue {
  remove(id: string, options: { removeChildren: boolean }): Promise<number>;
  getJobCounts(...states: BullCount[]): Promise<Record<string, number>>;
}

export type BullCount = 'waiting' | 'prioritized' | 'active' | 'delayed' | 'failed';

/** The parts of BullMQ's Worker that we use. */
export interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown;
  waitUntilReady(): Promise<void>;
  run(): Promise<void>;
  pause(doNotWaitForActiveJobs: boolean): Promise<void>;
  resume(): Promise<void>;
  close(force: boolean): Promise<void>;
  disconnect(): Promise<void>;
}

export type Processor = (job: BullJob, token?: string) => Promise<void>;
export type WorkerSettings = Omit<WorkerOptions<never>, 'connection'>;

export interface BrokerSettings {
  readonly name: string;
  readonly url: string;
  readonly jobOptions: DefaultJobOptions;
}

/** What Redis and Postgres do each in their own way. */
export interface Broker {
  readonly kind: 'redis' | 'postgres';
  readonly queue: BullQueue;
  /** In this order; those that are there already are left alone. */
  add(jobs: BullNewJob[]): Promise<void>;
  createWorker(process: Processor, settings: WorkerSettings): BullWorker;
  /** Only of the jobs that the queue knows. */
  states(ids: readonly string[]): Promise<Map<string, JobState>>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ's default keeps 10,000 events; nobody reads ours. */
export const streams = { events: { maxLen: 1_000 } };

/** `undefined` for a state that means that the queue does not know the job. */
export const toJobState = (state: string): JobState | undefined => {
  switch (state) {
    case 'waiting':
    case 'prioritized':
      return 'waiting';
    case 'active':
    case 'delayed':
    case 'completed':
    case 'failed':
      return state;
    default:
      return undefined;
  }
};
