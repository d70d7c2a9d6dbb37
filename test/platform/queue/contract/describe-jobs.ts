import { describe, expect, test } from 'vitest';
import type { ActiveJob, QueueJob } from '../../../../src/platform/queue/contract.ts';
import { gate, job, missing, type QueueBench, reaches, runAll, startRecorder, until } from './queue-bench.ts';

/** Jobs from outside: added, looked at, removed. */
export const describeJobs = ({ open }: QueueBench): void => {
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
};
