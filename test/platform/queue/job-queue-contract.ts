import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import {
  type ActiveJob,
  GiveUpError,
  type JobHandler,
  type JobQueue,
  type JobState,
  type QueueJob,
} from '../../../src/platform/queue/contract.ts';
import { type JobQueueOptions, openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';

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

const log = createLogger({ level: 'silent' });
const lockDurationMs = 1_000;
const stalledIntervalMs = 500;

/** What both backends promise. */
export const describeJobQueue = (startServer: () => Promise<QueueServer>): void => {
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
    const script = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
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

  describe('adding', () => {
    test('an id that is added twice is one job', async () => {
      const queue = await open();
      await queue.add([job('a-1'), job('b-1'), job('a-1')]);
      await queue.add([job('a-1')]);
      expect(await queue.counts()).toEqual({ waiting: 2, active: 0, delayed: 0, failed: 0 });
      const ran = await runAll(queue, 2);
      expect(ran.toSorted()).toEqual(['a-1', 'b-1']);
    });

    test('a job that has ended is not run again when its id is added once more', async () => {
      const queue = await open();
      await queue.add([job('a-1')]);
      const { ran, worker } = await startRecorder(queue);
      await reaches(queue, 'a-1', 'completed');
      await queue.add([job('a-1'), job('b-1')]);
      await reaches(queue, 'b-1', 'completed');
      expect(ran).toEqual(['a-1', 'b-1']);
      await worker.close(1_000);
    });

    test('the handler gets what was added', async () => {
      const queue = await open({ attempts: 5 });
      await queue.add([{ id: 'still-1-1', name: 'still', data: { exportId: 'e1', epoch: 3 }, priority: 7 }]);
      const seen: ActiveJob[] = [];
      await queue.startWorker(1, async (active) => {
        seen.push(active);
      });
      await until(() => seen.length === 1);
      const [{ signal, ...rest } = missing()] = seen;
      expect(signal.aborted).toBe(false);
      expect(rest).toEqual({
        id: 'still-1-1',
        name: 'still',
        data: { exportId: 'e1', epoch: 3 },
        priority: 7,
        attemptsMade: 0,
        attemptsAllowed: 5,
      });
    });

    test('lower priorities run first, those without one before all, equals in their order', async () => {
      const queue = await open();
      await queue.add([job('c-1', 20), job('b1-1', 10), job('b2-1', 10), job('d-1', 2_097_151), job('a-1')]);
      expect(await runAll(queue, 5)).toEqual(['a-1', 'b1-1', 'b2-1', 'c-1', 'd-1']);
    });

    test('jobs that break the rules are refused as mistakes of ours', async () => {
      const queue = await open();
      const wrong: QueueJob[] = [
        job('with:colon'),
        job('123'),
        job(''),
        job('a-1', -1),
        job('a-1', 2_097_152),
        job('a-1', 0.5),
      ];
      wrong.push({ id: 'a-1', name: 'test', data: { text: 'x-1'.repeat(200) } });
      for (const one of wrong) await expect(queue.add([one])).rejects.toMatchObject({ code: 'internal' });
      expect((await queue.counts()).waiting).toBe(0);
    });

    test('ten thousand jobs are added and their states read', async () => {
      const queue = await open();
      const jobs = Array.from({ length: 10_000 }, (_, index) => job(`many-${index}`));
      await queue.add(jobs);
      await queue.add(jobs.slice(5_000, 6_000));
      expect((await queue.counts()).waiting).toBe(10_000);
      const states = await queue.states([...jobs.slice(0, 2_500).map(({ id }) => id), 'unknown-1']);
      expect(states.size).toBe(2_501);
      expect([...states.values()].filter((state) => state === 'waiting')).toHaveLength(2_500);
    });
  });

  describe('looking and removing', () => {
    test('states tell of every stage, and of what the queue does not know', async () => {
      const queue = await open({ attempts: 1 });
      const stop = gate();
      await queue.startWorker(1, async ({ name }) => {
        if (name === 'fails') throw new Error('no');
        if (name === 'stays') await stop.opened;
      });
      await queue.add([job('done-1')]);
      await queue.add([{ ...job('broken-1'), name: 'fails' }]);
      await reaches(queue, 'broken-1', 'failed');
      await queue.add([{ ...job('running-1'), name: 'stays' }]);
      await reaches(queue, 'running-1', 'active');
      await queue.add([job('next-1'), job('later-1', 5)]);
      expect(
        Object.fromEntries(
          await queue.states(['done-1', 'broken-1', 'running-1', 'next-1', 'later-1', 'nobody-1']),
        ),
      ).toEqual({
        'done-1': 'completed',
        'broken-1': 'failed',
        'running-1': 'active',
        'next-1': 'waiting',
        'later-1': 'waiting',
        'nobody-1': 'missing',
      });
      expect(await queue.counts()).toEqual({ waiting: 2, active: 1, delayed: 0, failed: 1 });
      expect(await queue.states([])).toEqual(new Map());
      stop.open();
    });

    test('a waiting job is removed, a running or an unknown one is not', async () => {
      const queue = await open();
      const stop = gate();
      const { ran } = await startRecorder(queue, () => stop.opened);
      await queue.add([job('running-1')]);
      await until(() => ran.length === 1);
      await queue.add([job('wait-1'), job('prioritized-1', 3), job('last-1', 9)]);
      expect(await queue.remove('wait-1')).toBe(true);
      expect(await queue.remove('prioritized-1')).toBe(true);
      expect(await queue.remove('wait-1')).toBe(false);
      expect(await queue.remove('running-1')).toBe(false);
      expect(await queue.remove('nobody-1')).toBe(false);
      stop.open();
      await reaches(queue, 'last-1', 'completed');
      expect(ran).toEqual(['running-1', 'last-1']);
    });
  });

  describe('failing', () => {
    test('a job is tried again after a pause, and fails for good after its last attempt', async () => {
      const queue = await open({ attempts: 3, backoffMs: 200 });
      const attempts: { made: number; at: number }[] = [];
      await queue.startWorker(1, async ({ attemptsMade }) => {
        attempts.push({ made: attemptsMade, at: Date.now() });
        throw new Error('broken-1');
      });
      await queue.add([job('a-1')]);
      await until(async () => (await queue.counts()).delayed === 1);
      expect((await queue.states(['a-1'])).get('a-1')).toBe('delayed');
      await reaches(queue, 'a-1', 'failed');
      expect(attempts.map(({ made }) => made)).toEqual([0, 1, 2]);
      const [first = 0, second = 0, third = 0] = attempts.map(({ at }) => at);
      // Half of the pause is random.
      expect(second - first).toBeGreaterThanOrEqual(100);
      expect(third - second).toBeGreaterThanOrEqual(200);
    });

    test('a job that a handler gives up is not tried again', async () => {
      const queue = await open({ attempts: 3 });
      let attempts = 0;
      await queue.startWorker(1, async () => {
        attempts += 1;
        throw new GiveUpError('the composition is broken');
      });
      await queue.add([job('a-1'), job('b-1')]);
      await reaches(queue, 'b-1', 'failed');
      expect((await queue.states(['a-1'])).get('a-1')).toBe('failed');
      expect(attempts).toBe(2);
    });

    test('a thrown thing of any kind is a failed attempt', async () => {
      const queue = await open({ attempts: 1 });
      const thrown: Record<string, unknown> = {
        'text-1': 'text',
        'nothing-1': undefined,
        'delayed-1': Object.assign(new Error('x-1'), { name: 'DelayedError' }),
        'waiting-1': Object.assign(new Error('x-1'), { name: 'WaitingError' }),
        'long-1': new Error('x-1'.repeat(100_000)),
      };
      const { ran } = await startRecorder(queue, async ({ id }) => {
        throw thrown[id];
      });
      const ids = Object.keys(thrown);
      await queue.add(ids.map((id) => job(id)));
      for (const id of ids) await reaches(queue, id, 'failed');
      expect(ran).toEqual(ids);
    });

    test('the job of a killed worker is taken over, without the loss of an attempt', async () => {
      const queue = await open({ attempts: 1 });
      await queue.add([job('a-1')]);
      const child = spawnWorker(queue.name);
      await once(child.stdout ?? missing(), 'data');
      const taken: ActiveJob[] = [];
      await queue.startWorker(1, async (active) => {
        taken.push(active);
      });
      child.kill('SIGKILL');
      await reaches(queue, 'a-1', 'completed', 10_000);
      expect(taken.map(({ id, attemptsMade }) => ({ id, attemptsMade }))).toEqual([
        { id: 'a-1', attemptsMade: 0 },
      ]);
    });

    test('a job whose workers die again and again fails', async () => {
      const queue = await open({ maxStalledCount: 0 });
      await queue.add([job('a-1')]);
      const child = spawnWorker(queue.name);
      await once(child.stdout ?? missing(), 'data');
      const { ran } = await startRecorder(queue);
      child.kill('SIGKILL');
      await reaches(queue, 'a-1', 'failed', 10_000);
      expect(ran).toEqual([]);
    });
  });

  describe('losing the lock', () => {
    test('the signal aborts, and another worker takes the job over', async () => {
      const queue = await open({ attempts: 1 });
      const other = await open({ name: queue.name, attempts: 1 });
      const stop = gate();
      const signals: AbortSignal[] = [];
      await queue.startWorker(1, async ({ signal }) => {
        signals.push(signal);
        if (signals.length > 1) return;
        await stop.opened;
      });
      await queue.add([job('a-1')]);
      await until(() => signals.length === 1);
      await server.takeLock(queue.name, 'a-1');
      await until(() => signals[0]?.aborted === true);
      expect(signals[0]?.reason).toMatchObject({ code: 'render_lost' });
      await other.startWorker(1, async ({ signal }) => {
        signals.push(signal);
      });
      stop.open();
      await until(() => signals.length === 2, 10_000);
      await reaches(queue, 'a-1', 'completed', 10_000);
      expect(signals[1]?.aborted).toBe(false);
    });
  });

  describe('pausing', () => {
    test('a paused worker takes nothing, others do, and it goes on after resume', async () => {
      const queue = await open();
      const { ran, worker } = await startRecorder(queue);
      await queue.add([job('first-1')]);
      await reaches(queue, 'first-1', 'completed');
      await worker.pause();
      await queue.add([job('a-1')]);
      const other = await open({ name: queue.name });
      const second = await startRecorder(other);
      await reaches(queue, 'a-1', 'completed');
      expect(ran).toEqual(['first-1']);
      expect(second.ran).toEqual(['a-1']);
      await second.worker.close(1_000);
      await worker.resume();
      await queue.add([job('b-1')]);
      await reaches(queue, 'b-1', 'completed');
      expect(ran).toEqual(['first-1', 'b-1']);
    });

    test('running work goes on while a worker is paused', async () => {
      const queue = await open();
      const stop = gate();
      const { ran, worker } = await startRecorder(queue, () => stop.opened, 2);
      await queue.add([job('a-1')]);
      await until(() => ran.length === 1);
      await worker.pause();
      await queue.add([job('b-1')]);
      await worker.resume();
      await until(() => ran.length === 2);
      stop.open();
      await reaches(queue, 'b-1', 'completed');
      await reaches(queue, 'a-1', 'completed');
    });
  });

  describe('closing', () => {
    test('running work is waited for, and nothing new is taken', async () => {
      const queue = await open();
      const stop = gate();
      const { ran, worker } = await startRecorder(queue, () => stop.opened);
      await queue.add([job('a-1'), job('b-1')]);
      await until(() => ran.length === 1);
      let isClosed = false;
      const closing = worker.close(20_000).then(() => {
        isClosed = true;
      });
      await queue.add([job('c-1')]);
      expect(isClosed).toBe(false);
      stop.open();
      await closing;
      expect(Object.fromEntries(await queue.states(['a-1', 'b-1', 'c-1']))).toEqual({
        'a-1': 'completed',
        'b-1': 'waiting',
        'c-1': 'waiting',
      });
      expect(ran).toEqual(['a-1']);
      await worker.close(0);
    });

    test('an idle worker closes at once', async () => {
      const queue = await open();
      const { worker } = await startRecorder(queue);
      await queue.add([job('a-1')]);
      await reaches(queue, 'a-1', 'completed');
      const start = performance.now();
      await worker.close(20_000);
      expect(performance.now() - start).toBeLessThan(1_000);
    });

    test('past the deadline the signal aborts, and the job goes back without the loss of an attempt', async () => {
      const queue = await open({ attempts: 1 });
      const { ran, worker } = await startRecorder(queue, untilAborted);
      await queue.add([job('a-1')]);
      await until(() => ran.length === 1);
      await worker.close(50);
      expect((await queue.states(['a-1'])).get('a-1')).toBe('waiting');
      const made: number[] = [];
      await queue.startWorker(1, async ({ attemptsMade }) => {
        made.push(attemptsMade);
      });
      await reaches(queue, 'a-1', 'completed');
      expect(made).toEqual([0]);
    });

    test('a second call may bring the end nearer', async () => {
      const queue = await open();
      const { ran, worker } = await startRecorder(queue, untilAborted);
      await queue.add([job('a-1')]);
      await until(() => ran.length === 1);
      const closing = worker.close(60_000);
      await worker.close(0);
      await closing;
    });

    test('a handler that ignores its signal does not hold up the close, and its job is taken over', async () => {
      const queue = await open({ attempts: 1 });
      const deaf = await startRecorder(queue, () => new Promise(() => undefined));
      await queue.add([job('a-1')]);
      await until(() => deaf.ran.length === 1);
      const start = performance.now();
      await deaf.worker.close(50);
      expect(performance.now() - start).toBeLessThan(5_000);
      const { ran } = await startRecorder(queue);
      await reaches(queue, 'a-1', 'completed', 10_000);
      expect(ran).toEqual(['a-1']);
    });

    test('a closed queue says so', async () => {
      const queue = await open();
      await queue.close();
      await queue.close();
      await expect(queue.add([job('a-1')])).rejects.toMatchObject({ code: 'shutting_down' });
      await expect(queue.ping()).rejects.toMatchObject({ code: 'shutting_down' });
    });
  });

  describe('when everything in the queue is lost', () => {
    test('an idle worker takes what is added afterwards', async () => {
      const queue = await open();
      const { ran } = await startRecorder(queue);
      await queue.add([job('a-1')]);
      await reaches(queue, 'a-1', 'completed');
      await server.wipe();
      expect((await queue.states(['a-1'])).get('a-1')).toBe('missing');
      await queue.add([job('b-1'), job('c-1', 5)]);
      await reaches(queue, 'c-1', 'completed');
      expect(ran).toEqual(['a-1', 'b-1', 'c-1']);
    });

    test('a busy worker is told that its lock is lost, and takes what is added afterwards', async () => {
      const queue = await open();
      const { ran, worker } = await startRecorder(queue, async (active) => {
        if (active.id === 'a-1') await untilAborted(active);
      });
      await queue.add([job('a-1'), job('never-1')]);
      await until(() => ran.length === 1);
      await server.wipe();
      await queue.add([job('b-1')]);
      await reaches(queue, 'b-1', 'completed');
      expect(ran).toEqual(['a-1', 'b-1']);
      await worker.close(1_000);
    });

    test('a busy worker that ends its job in time goes on, too', async () => {
      const queue = await open();
      const stop = gate();
      const { ran } = await startRecorder(queue, async ({ id }) => {
        if (id === 'a-1') await stop.opened;
      });
      await queue.add([job('a-1')]);
      await until(() => ran.length === 1);
      await server.wipe();
      stop.open();
      await queue.add([job('b-1')]);
      await reaches(queue, 'b-1', 'completed');
    });
  });

  describe('while the server is away', () => {
    test('calls fail quickly with queue_unavailable, and workers go on when it is back', async () => {
      const lines: string[] = [];
      const queue = await open({ log: pino({ level: 'warn' }, { write: (line) => lines.push(line) }) });
      const idle = await startRecorder(queue);
      const stop = gate();
      const busyQueue = await open();
      const busy = await startRecorder(busyQueue, () => stop.opened);
      await queue.add([job('before-1')]);
      await busyQueue.add([job('busy-1'), job('after-busy-1')]);
      await reaches(queue, 'before-1', 'completed');
      await until(() => busy.ran.length === 1);

      await server.stop();
      const start = performance.now();
      for (const call of [
        () => queue.add([job('x-1')]),
        () => queue.states(['x-1']),
        () => queue.counts(),
        () => queue.remove('x-1'),
        () => queue.ping(),
        () => queue.startWorker(1, async () => undefined),
        () => open(),
      ]) {
        const error = await call().then(missing, (thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(RendermillError);
        expect(error).toMatchObject({ code: 'queue_unavailable' });
      }
      expect(performance.now() - start).toBeLessThan(15_000);
      // The handler ends while nobody can be told.
      stop.open();
      await server.start();

      await until(() =>
        queue.ping().then(
          () => true,
          () => false,
        ),
      );
      await queue.add([job('after-1')]);
      await reaches(queue, 'after-1', 'completed', 15_000);
      expect(idle.ran).toEqual(['before-1', 'after-1']);
      await reaches(busyQueue, 'busy-1', 'completed', 15_000);
      await reaches(busyQueue, 'after-busy-1', 'completed', 15_000);
      // Hundreds of errors, a few lines: and none with BullMQ's scripts in it.
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThan(6);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(3_000);
    }, 60_000);

    test('a worker and a queue can be closed', async () => {
      const queue = await open();
      const { ran, worker } = await startRecorder(queue, untilAborted);
      await queue.add([job('a-1')]);
      await until(() => ran.length === 1);
      await server.stop();
      try {
        const start = performance.now();
        await worker.close(50);
        await queue.close();
        expect(performance.now() - start).toBeLessThan(15_000);
      } finally {
        await server.start();
      }
    }, 60_000);
  });
};

const job = (id: string, priority?: number): QueueJob => ({
  id,
  name: 'test',
  data: { id },
  ...(priority === undefined ? {} : { priority }),
});

const missing = (): never => {
  throw new Error('expected something else');
};

const gate = (): { opened: Promise<void>; open: () => void } => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

const untilAborted: JobHandler = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** A worker that notes the ids of the jobs whose handler has started. */
const startRecorder = async (
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
const runAll = async (queue: JobQueue, count: number): Promise<string[]> => {
  const { ran } = await startRecorder(queue);
  await until(() => ran.length >= count);
  await until(async () => {
    const { waiting, active } = await queue.counts();
    return waiting + active === 0;
  });
  return ran;
};

const reaches = (queue: JobQueue, id: string, state: JobState, timeoutMs = 8_000): Promise<void> =>
  until(async () => (await queue.states([id])).get(id) === state, timeoutMs, `${id} ${state}`);

const until = async (
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
