import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { renderJobId } from '../../../src/core/exports.ts';
import { type FeederDeps, reconcile, startFeeder as startOne } from '../../../src/features/renders/feeder.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import type { QueueJob } from '../../../src/platform/queue/contract.ts';
import { createMemoryQueue } from '../../support/api.ts';
import {
  accept,
  beatOnce,
  createOrganization,
  createTestClock,
  createUser,
  openTestDatabase,
  readExport,
  silentLog,
  slots,
  times,
} from '../../support/factories.ts';

const { db, url, close } = await openTestDatabase();
const listener = await openListener(url, silentLog);
afterAll(async () => {
  await listener.close();
  await close();
});

const setUp = async (given: { slots?: number } = {}) => {
  const clock = createTestClock();
  const jobs: QueueJob[] = [];
  const memory = createMemoryQueue();
  const queue = {
    ...memory,
    add: async (added: readonly QueueJob[]) => {
      jobs.push(...added);
      await memory.add(added);
    },
  };
  if (given.slots !== undefined) {
    await beatOnce(db, slots(given.slots));
  }
  return { deps: { db, queue, mode: 'local' as const, listener, clock, log: silentLog }, clock, jobs };
};

/** Each test has a line and workers of its own. */
beforeEach(async () => {
  await db.updateTable('export').set({ status: 'canceled' }).execute();
  await db.deleteFrom('worker').execute();
});
/** Stopped with its test, also where that fails. */
const startFeeder = (deps: FeederDeps) => {
  const feeder = startOne(deps);
  onTestFinished(() => feeder.stop());
  return feeder;
};
const newUser = async () => createUser(db, await createOrganization(db));

describe('the feeder', () => {
  test('feeds what waits, with ids only, two for each render that the workers can run', async () => {
    const { deps, jobs } = await setUp({ slots: 2 });
    const who = await newUser();
    const rows = await Promise.all(times(6, () => accept(db, who)));
    const feeder = startFeeder(deps);
    await expect.poll(() => jobs).toHaveLength(4);
    await feeder.stop();
    expect(jobs).toHaveLength(4);
    for (const job of jobs) {
      expect(rows.map((row) => renderJobId(row.id, 1))).toContain(job.id);
      expect(job.data).toEqual({ exportId: job.id.slice('render-'.length, -'-1'.length), epoch: 1 });
      expect(JSON.stringify(job.data).length).toBeLessThan(200);
    }
  });

  test('is woken by an acceptance: it does not wait for its next look', async () => {
    const { deps, jobs } = await setUp({ slots: 2 });
    const feeder = startFeeder(deps);
    const row = await accept(db, await newUser());
    await expect.poll(() => jobs.map((job) => job.id), { timeout: 800 }).toEqual([renderJobId(row.id, 1)]);
    await feeder.stop();
  });

  test('plans nothing while no worker lives', async () => {
    const { deps, jobs } = await setUp();
    const row = await accept(db, await newUser());
    const feeder = startFeeder(deps);
    await feeder.stop();
    expect(jobs).toEqual([]);
    expect(await readExport(db, row.id)).toMatchObject({ epoch: 0, fed_at: null });
  });

  test('puts back into the line what the queue would not take, and feeds it once it does', async () => {
    const { deps, jobs } = await setUp({ slots: 1 });
    const row = await accept(db, await newUser());
    let away = true;
    const queue = {
      ...deps.queue,
      add: (added: readonly QueueJob[]) =>
        away ? Promise.reject(new Error('Redis is away')) : deps.queue.add(added),
    };
    const feeder = startFeeder({ ...deps, queue });
    const isBack = async () => {
      const { epoch, fed_at } = await readExport(db, row.id);
      return epoch > 0 && fed_at === null;
    };
    await expect.poll(isBack).toBe(true);
    away = false;
    feeder.wake();
    await expect.poll(() => jobs.map((job) => job.id), { timeout: 5000 }).toHaveLength(1);
    await feeder.stop();
    expect(jobs[0]?.data.epoch).toBeGreaterThan(1);
  });
});

describe('the reconciliation', () => {
  test('puts back what the queue has lost, and leaves what it knows', async () => {
    const { deps, clock } = await setUp({ slots: 2 });
    const who = await newUser();
    const [kept, lost] = [await accept(db, who), await accept(db, who)];
    const feeder = startFeeder(deps);
    await expect.poll(async () => (await readExport(db, lost.id)).epoch).toBe(1);
    await feeder.stop();
    await deps.queue.remove(renderJobId(lost.id, 1));
    expect(await reconcile(deps)).toBe(0);
    clock.advance(6000);
    expect(await reconcile(deps)).toBe(1);
    expect(await readExport(db, lost.id)).toMatchObject({ status: 'queued', fed_at: null });
    expect((await readExport(db, kept.id)).fed_at).not.toBeNull();
  });

  test.each([
    ['failed', 1],
    ['completed', 1],
    ['missing', 1],
    ['active', 0],
    ['delayed', 0],
    ['waiting', 0],
  ] as const)('of an export whose job is %s puts %s back', async (state, count) => {
    const { deps, clock } = await setUp();
    const row = await accept(db, await newUser());
    await db.updateTable('export').set({ epoch: 1, fed_at: clock.now() }).where('id', '=', row.id).execute();
    clock.advance(6000);
    const queue = {
      ...deps.queue,
      states: async (ids: readonly string[]) => new Map(ids.map((id) => [id, state])),
    };
    expect(await reconcile({ ...deps, queue })).toBe(count);
  });
});
