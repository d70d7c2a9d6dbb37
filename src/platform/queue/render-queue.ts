import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import type { Broker, BullNewJob, WorkerSettings } from './broker.ts';
import type { JobHandler, JobQueue, JobState, QueueCounts, QueueJob, QueueWorker } from './contract.ts';
import { toQueueError } from './errors.ts';
import { startQueueWorker } from './queue-worker.ts';

/** So that one call neither blocks Redis for long nor makes a statement of megabytes. */
const jobsPerCall = 1_000;
const highestPriority = 2_097_151;
const largestData = 200;
/**
 * The contract's `<kind>-<row id>-<epoch>`. BullMQ forbids colons and digits alone; and on Redis a job whose id is the name of
 * a key of its own (`wait`, `delayed`, `stalled-check`) would destroy the queue.
 */
const idPattern = /^[^:]{1,200}-\d+$/;

/** A queue of BullMQ behind our port; `render-queue` and `campaign-queue` are two of them. */
export class RenderQueue implements JobQueue {
  readonly name: string;
  readonly #broker: Broker;
  readonly #workerSettings: WorkerSettings;
  readonly #log: Logger;
  readonly #workers = new Set<QueueWorker>();
  #closing: Promise<void> | undefined;

  constructor(name: string, broker: Broker, workerSettings: WorkerSettings, log: Logger) {
    this.name = name;
    this.#broker = broker;
    this.#workerSettings = workerSettings;
    this.#log = log;
  }

  get backend(): 'redis' | 'postgres' {
    return this.#broker.kind;
  }

  async add(jobs: readonly QueueJob[]): Promise<void> {
    for (const job of jobs) assertQueueJob(job);
    for (const slice of slices(jobs)) {
      await this.#ask((broker) => broker.add(slice.map(toBullJob)));
    }
  }

  async states(ids: readonly string[]): Promise<ReadonlyMap<string, JobState>> {
    const states = new Map<string, JobState>(ids.map((id) => [id, 'missing']));
    for (const slice of slices([...states.keys()])) {
      const known = await this.#ask((broker) => broker.states(slice));
      for (const [id, state] of known) states.set(id, state);
    }
    return states;
  }

  async remove(id: string): Promise<boolean> {
    // BullMQ on Redis says that it removed a job that was never there.
    const state = (await this.states([id])).get(id);
    if (state === 'missing') return false;
    return (await this.#ask(({ queue }) => queue.remove(id, { removeChildren: false }))) === 1;
  }

  async counts(): Promise<QueueCounts> {
    const counts = await this.#ask(({ queue }) =>
      queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
    );
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
    return { waiting: waiting + prioritized, active, delayed, failed };
  }

  async ping(): Promise<void> {
    await this.#ask((broker) => broker.ping());
  }

  async startWorker(concurrency: number, handler: JobHandler): Promise<QueueWorker> {
    const worker = await this.#ask((broker) =>
      startQueueWorker({
        createWorker: (process) => broker.createWorker(process, { ...this.#workerSettings, concurrency }),
        handler,
        log: this.#log,
      }),
    );
    this.#workers.add(worker);
    if (this.#closing === undefined) return worker;
    await worker.close(0);
    throw new RendermillError('shutting_down');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.close(0)));
    await this.#broker.close();
  }

  async #ask<T>(operation: (broker: Broker) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new RendermillError('shutting_down');
    try {
      return await operation(this.#broker);
    } catch (error) {
      throw toQueueError(error);
    }
  }
}

const toBullJob = ({ id, name, data, priority = 0 }: QueueJob): BullNewJob => ({
  name,
  data: { ...data },
  opts: { jobId: id, priority },
});

/** A job that breaks these is a mistake of ours, and BullMQ's own message about it does not say which job. */
const assertQueueJob = ({ id, data, priority = 0 }: QueueJob): void => {
  const wrong = (what: string): RendermillError =>
    new RendermillError('internal', { cause: new Error(`job ${JSON.stringify(id)}: ${what}`) });
  if (!idPattern.test(id)) throw wrong('an id looks like still-<row id>-<epoch>, without a colon');
  if (!Number.isInteger(priority) || priority < 0 || priority > highestPriority) {
    throw wrong(`a priority is a whole number from 0 to ${highestPriority}, got ${priority}`);
  }
  if (JSON.stringify(data).length > largestData)
    throw wrong(`the data must stay under ${largestData} bytes: ids only`);
};

const slices = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / jobsPerCall) }, (_, index) =>
    items.slice(index * jobsPerCall, (index + 1) * jobsPerCall),
  );
