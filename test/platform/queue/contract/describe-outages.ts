import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { RendermillError } from '../../../../src/core/errors.ts';

import {
  gate,
  job,
  missing,
  type QueueBench,
  reaches,
  startRecorder,
  until,
  untilAborted,
} from './queue-bench.ts';

/** A server that forgets everything, or is away. */
export const describeOutages = ({ open, server }: QueueBench): void => {
  describe('when everything in the queue is lost', () => {
    test('an idle worker takes what is added afterwards', async () => {
      const queue = await open();
      const { ran } = await startRecorder(queue);
      await queue.add([job('a-1')]);
      await reaches(queue, 'a-1', 'completed');
      await server().wipe();
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
      await server().wipe();
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
      await server().wipe();
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

      await server().stop();
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
      expect(performance.now() - start).toBeLessThan(30_000);
      // The handler ends while nobody can be told.
      stop.open();
      await server().start();

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
      await server().stop();
      try {
        const start = performance.now();
        await worker.close(50);
        await queue.close();
        expect(performance.now() - start).toBeLessThan(15_000);
      } finally {
        await server().start();
      }
    }, 60_000);
  });
};
