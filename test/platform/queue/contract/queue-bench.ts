/** What the queue's tests have in common: a server of their own, queues and workers that end with the test, and ways to wait. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createLogger } from '../../../../src/platform/log/log.ts';
import type { JobHandler, JobQueue, JobState, QueueJob } from '../../../../src/platform/queue/contract.ts';
import { type JobQueueOptions, openJobQueue } from '../../../../src/platform/queue/open-job-queue.ts';

/** A server of the suite's own, since it is stopped and wiped. */
export interface QueueServer {
  readonly backend: JobQueueOptions['backend'];
  wipe(): Promise<void>;
  /** Leaves a job without a lock, as after a pause of its worker that outlasted it. */
  takeLock(queue: string, jobId: string): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export interface QueueBench {
  server(): QueueServer;
  open(options?: Partial<JobQueueOptions>): Promise<JobQueue>;
  /** A worker that takes one job and keeps it, as a process that can be killed. */
  spawnWorker(name: string): ChildProcess;
}

const log = createLogger({ level: 'silent' });
const lockDurationMs = 1_000;
const stalledIntervalMs = 500;

/** For the `describe` that it is called in. */
export const openQueueBench = (startServer: () => Promise<QueueServer>): QueueBench => {
  let server: QueueServer;
  const opened: JobQueue[] = [];
  const children: ChildProcess[] = [];

  const open = async (options: Partial<JobQueueOptions> = {}): Promise<JobQueue> => {
    const queue = await openJobQueue({
      name: `queue-${randomUUID()}`,
      backend: server.backend,
      log,
      lockDurationMs,
      stalledIntervalMs,
      backoffMs: 20,
      ...options,
    });
    opened.push(queue);
    return queue;
  };

  const spawnWorker = (name: string): ChildProcess => {
    const script = fileURLToPath(new URL('../worker-process.ts', import.meta.url));
    const { kind, url } = server.backend;
    const settings = [kind, url, name, `${lockDurationMs}`, `${stalledIntervalMs}`];
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...settings], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };

  beforeAll(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
  });
  afterAll(() => server.remove());

  return { server: () => server, open, spawnWorker };
};

export const job = (id: string, priority?: number): QueueJob => ({
  id,
  name: 'test',
  data: { id },
  ...(priority === undefined ? {} : { priority }),
});

export const missing = (): never => {
  throw new Error('expected something else');
};

export const gate = (): { opened: Promise<void>; open: () => void } => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

export const untilAborted: JobHandler = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** A worker that notes the ids of the jobs whose handler has started. */
export const startRecorder = async (
  queue: JobQueue,
  handler: JobHandler = async () => undefined,
  concurrency = 1,
) => {
  const ran: string[] = [];
  const worker = await queue.startWorker(concurrency, (active) => {
    ran.push(active.id);
    return handler(active);
  });
  return { ran, worker };
};

/** Runs what is in the queue on one worker; the ids in the order in which they started. */
export const runAll = async (queue: JobQueue, count: number): Promise<string[]> => {
  const { ran } = await startRecorder(queue);
  await until(() => ran.length >= count);
  await until(async () => {
    const { waiting, active } = await queue.counts();
    return waiting + active === 0;
  });
  return ran;
};

export const reaches = (queue: JobQueue, id: string, state: JobState, timeoutMs = 8_000): Promise<void> =>
  until(async () => (await queue.states([id])).get(id) === state, timeoutMs, `${id} ${state}`);

export const until = async (
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 8_000,
  what = 'the condition',
): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} was not reached within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
