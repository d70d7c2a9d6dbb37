import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type ActiveJob, GiveUpError } from '../../../../src/platform/queue/contract.ts';
import { gate, job, missing, type QueueBench, reaches, startRecorder, until } from './queue-bench.ts';

/** What ends an attempt that went wrong, and who goes on with the job. */
export const describeFailures = ({ open, server, spawnWorker }: QueueBench): void => {
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
      await server().takeLock(queue.name, 'a-1');
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
};
