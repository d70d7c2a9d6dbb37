import { describe, expect, test } from 'vitest';

import { gate, job, type QueueBench, reaches, startRecorder, until, untilAborted } from './queue-bench.ts';

/** How a worker pauses and ends. */
export const describeWorkers = ({ open }: QueueBench): void => {
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
};
