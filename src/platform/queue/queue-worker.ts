import { UnrecoverableError, WaitingError } from 'bullmq';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import type { BullJob, BullWorker, Processor } from './broker.ts';
import { burstLog } from './burst-log.ts';
import { type ActiveJob, GiveUpError, type JobHandler, type QueueWorker } from './contract.ts';
import { queueTimeout, toQueueError } from './errors.ts';
import { settledWithin } from './settled-within.ts';

/** A worker starts with its machine, when everything is slow; a worker that gives up here ends. */
const readyTimeoutMs = 8_000;
/** How long a handler may take to notice its aborted signal, before it is left behind. */
const abortGraceMs = 2_000;
const closeTimeoutMs = 3_000;
/** Postgres and Redis store it with the job: a page of a browser's log does not belong there. */
const longestReason = 500;

interface Run {
  readonly id: string;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export interface QueueWorkerOptions {
  readonly createWorker: (process: Processor) => BullWorker;
  readonly handler: JobHandler;
  readonly log: Logger;
}

/** A running worker: BullMQ's, with signals that tell the truth about the lock and a close that ends. */
export const startQueueWorker = async ({
  createWorker,
  handler,
  log,
}: QueueWorkerOptions): Promise<QueueWorker> => {
  const runs = new Runs();
  let isTaking = true;
  const process: Processor = (job, token) =>
    isTaking ? run(runs, handler, job, token, log) : handBack(job, token);
  const worker = createWorker(process);
  worker.on('error', burstLog(log, "trouble with the queue's worker"));
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) runs.lose(id);
  });
  await becomeReady(worker);
  // It ends with pause() or close(), which resume() may follow.
  worker.run().catch((error: unknown) => log.error({ err: error }, "the queue's worker stopped"));

  const shutDown = async (): Promise<void> => {
    await worker.pause(true);
    const isLeftBehind = await Promise.race([
      runs.allEnded().then(() => false),
      runs.graceOver.then(() => true),
    ]);
    if (isLeftBehind) {
      log.warn(
        { jobs: runs.ids() },
        'jobs go on although they were aborted; their locks run out and other workers take them',
      );
    }
    await closeWorker(worker, isLeftBehind);
  };

  let closing: Promise<void> | undefined;
  return {
    pause: async () => {
      isTaking = false;
      await worker.pause(true);
    },
    resume: async () => {
      if (closing !== undefined) return;
      isTaking = true;
      await worker.resume();
    },
    close: async (deadlineMs) => {
      isTaking = false;
      // A later call may bring the end nearer: a second signal means "now".
      const timer = setTimeout(() => runs.stop(), deadlineMs);
      closing ??= shutDown();
      await closing;
      clearTimeout(timer);
    },
  };
};

/** The handlers at work, and the two ways in which they are told to stop. */
class Runs {
  readonly #runs = new Set<Run>();
  #isStopping = false;
  #endGrace: () => void = () => undefined;
  /** Settles when handlers that were told to stop have had the time to do so. */
  readonly graceOver = new Promise<void>((resolve) => {
    this.#endGrace = resolve;
  });

  get isStopping(): boolean {
    return this.#isStopping;
  }

  add(run: Run): void {
    this.#runs.add(run);
    run.ended.then(() => this.#runs.delete(run));
  }

  ids(): string[] {
    return [...this.#runs].map((run) => run.id);
  }

  async allEnded(): Promise<void> {
    await Promise.all([...this.#runs].map((run) => run.ended));
  }

  lose(id: string): void {
    for (const run of this.#runs) {
      if (run.id === id) run.abort.abort(new RendermillError('render_lost'));
    }
  }

  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const run of this.#runs) run.abort.abort(new RendermillError('shutting_down'));
    setTimeout(this.#endGrace, abortGraceMs);
  }
}

const run = async (
  runs: Runs,
  handler: JobHandler,
  job: BullJob,
  token: string | undefined,
  log: Logger,
): Promise<void> => {
  const id = job.id ?? '';
  // To be handed a job that is at work here means that its lock had run out, unnoticed, while this process stood still.
  runs.lose(id);
  const abort = new AbortController();
  const work = Promise.resolve(toActiveJob(job, id, abort.signal)).then(handler);
  runs.add({
    id,
    abort,
    ended: work.then(
      () => undefined,
      () => undefined,
    ),
  });
  try {
    await work;
  } catch (error) {
    if (error instanceof GiveUpError) throw new UnrecoverableError(reasonOf(error));
    if (runs.isStopping) return await handBack(job, token);
    log.info({ err: error, jobId: id, attemptsMade: job.attemptsMade }, 'an attempt of a job failed');
    // A new error, since BullMQ steers by the names of those that it gets.
    throw new Error(reasonOf(error));
  }
};

/** Back to the head of the queue, without the loss of an attempt. */
const handBack = async (job: BullJob, token: string | undefined): Promise<never> => {
  await job.moveToWait(token);
  throw new WaitingError();
};

const toActiveJob = (job: BullJob, id: string, signal: AbortSignal): ActiveJob => ({
  id,
  name: job.name,
  data: job.data,
  priority: job.opts.priority ?? 0,
  attemptsMade: job.attemptsMade,
  attemptsAllowed: job.opts.attempts ?? 1,
  signal,
});

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, longestReason);

/** A worker that could not connect at its start would stay deaf for ever: BullMQ remembers the failure. */
const becomeReady = async (worker: BullWorker): Promise<void> => {
  let failure: unknown = queueTimeout('connecting a worker', readyTimeoutMs);
  const ready = worker.waitUntilReady().then(
    () => {
      failure = undefined;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  await settledWithin(ready, readyTimeoutMs);
  if (failure === undefined) return;
  await closeWorker(worker, true);
  throw toQueueError(failure);
};

/** BullMQ's close waits for a server that is away. */
const closeWorker = async (worker: BullWorker, force: boolean): Promise<void> => {
  if (!(await settledWithin(worker.close(force), closeTimeoutMs)))
    await settledWithin(worker.disconnect(), closeTimeoutMs);
};
