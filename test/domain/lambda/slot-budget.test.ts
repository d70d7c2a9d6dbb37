import { afterAll, describe, expect, test } from 'vitest';
import { readSlots } from '../../../src/domain/lambda/read-slots.ts';
import { createSlotBudget } from '../../../src/domain/lambda/slot-budget.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import type { SlotLease, SlotOrder } from '../../../src/platform/renderer/lambda/slot-budget.ts';
import { createChance } from '../../support/chance.ts';
import { createTestClock, noon, openTestDatabase, silentLog, times } from '../../support/factories.ts';

const { db, url, close } = await openTestDatabase();
afterAll(close);

let scopes = 0;

/** A scope of its own for each test, and as many workers as it wants in it. */
const createScope = (ceiling = 100, leaseSeconds = 300) => {
  const scope = `scope-${++scopes}`;
  const clock = createTestClock();
  const worker = (database = db) => createSlotBudget({ db: database, clock, scope, ceiling, leaseSeconds });
  const slots = async () => {
    const now = await readSlots(db, scope, clock.now());
    if (now === null) throw new Error(`${scope} has no limit yet`);
    return now;
  };
  return { scope, clock, worker, slots };
};

let ids = 0;
const cell = (given: Partial<SlotOrder> = {}): SlotOrder => ({
  id: `render-${++ids}`,
  kind: 'video',
  urgency: 'batch',
  frames: 300,
  ...given,
});
const wide = (given: Partial<SlotOrder> = {}) => cell({ urgency: 'interactive', frames: 900, ...given });

const granted = async (lease: Promise<SlotLease | null>): Promise<SlotLease> => {
  const got = await lease;
  if (got === null) throw new Error('there was no room');
  return got;
};

describe('what is granted', () => {
  test('is written down, and free again when it is released, also twice', async () => {
    const { worker, slots, clock } = createScope(1_000);
    const budget = worker();
    const lease = await granted(budget.acquire(wide()));
    expect(lease.functions).toBe(45);
    const other = await granted(budget.acquire(cell()));
    expect(await slots()).toMatchObject({ limit: 1_000, used: 46 + 2, usedByBatch: 2, leases: 2 });
    clock.advance(6_000);
    expect(await slots()).toMatchObject({ used: 46 + 1, usedByBatch: 1 });
    await lease.release();
    await lease.release();
    expect(await slots()).toMatchObject({ used: 1, leases: 1 });
    await other.release();
    expect(await slots()).toMatchObject({ used: 0, usedByBatch: 0, leases: 0 });
  });

  test('never exceeds the limit: 50 who ask at once, of several workers, with connections of their own', async () => {
    const { worker, slots } = createScope(60);
    const clients = times(4, () => openDatabase({ url, log: silentLog, maxConnections: 5 }));
    const chance = createChance(7);
    const held = await Promise.all(
      times(50, (index) => {
        const budget = worker(clients[index % clients.length]?.db);
        return budget.acquire(chance() < 0.5 ? cell() : wide({ frames: 200 }));
      }),
    );
    const got = held.filter((lease) => lease !== null);
    const { used, leases, limit } = await slots();
    expect(limit).toBe(60);
    expect(used).toBeLessThanOrEqual(60);
    expect(used).toBeGreaterThan(50);
    expect(leases).toBe(got.length);
    expect(got.length).toBeLessThan(50);
    await Promise.all(got.map((lease) => lease.release()));
    expect(await slots()).toMatchObject({ used: 0, leases: 0 });
    await Promise.all(clients.map((client) => client.close()));
  });

  test('leaves batches their share only, and whoever waits finds room beside them', async () => {
    const { worker, slots } = createScope(100);
    const budget = worker();
    let cells = 0;
    while ((await budget.acquire(cell())) !== null) cells += 1;
    expect(cells).toBe(37);
    expect(await slots()).toMatchObject({ usedByBatch: 74 });
    expect((await granted(budget.acquire(wide()))).functions).toBe(12);
    expect(await budget.acquire(cell())).toBeNull();
  });

  test('in one account and region takes nothing from another', async () => {
    const [one, other] = [createScope(10), createScope(10)];
    while ((await one.worker().acquire(wide())) !== null);
    expect(await other.worker().acquire(wide())).not.toBeNull();
  });
});

describe('a lease', () => {
  test('of a worker that was killed ends by itself, and one that is renewed does not', async () => {
    const { worker, slots, clock } = createScope(10, 60);
    await granted(worker().acquire(wide({ frames: 40 })));
    const alive = await granted(worker().acquire(wide({ frames: 40 })));
    clock.advance(40_000);
    await alive.renew();
    expect(await slots()).toMatchObject({ leases: 2 });
    clock.advance(30_000);
    expect(await slots()).toMatchObject({ leases: 1 });
    clock.advance(31_000);
    expect(await slots()).toMatchObject({ leases: 0, used: 0 });
  });

  test('that had expired and is renewed comes back, since its functions run; one that was released does not', async () => {
    const { worker, slots, clock } = createScope(10, 60);
    const budget = worker();
    const late = await granted(budget.acquire(wide({ frames: 40 })));
    const ended = await granted(budget.acquire(cell()));
    await ended.release();
    clock.advance(90_000);
    const next = await granted(budget.acquire(cell()));
    expect(await slots()).toMatchObject({ leases: 1 });
    await Promise.all([late.renew(), ended.renew()]);
    expect(await slots()).toMatchObject({ leases: 2, used: 3 + 2 });
    await Promise.all([late.release(), next.release()]);
    expect(await slots()).toMatchObject({ leases: 0 });
  });

  test('is taken over with all that it has by another worker, and the one before can neither renew nor release it', async () => {
    const { worker, slots, clock } = createScope(1_000, 60);
    const order = wide({ id: 'taken-over', frames: 3_600 });
    const before = await granted(worker().acquire(order));
    expect(before.functions).toBe(180);
    clock.advance(50_000);
    const now = worker();
    const after = await granted(now.acquire({ ...order, frames: null }));
    expect(after.functions).toBe(180);
    await before.release();
    expect(await slots()).toMatchObject({ used: 181, leases: 1 });
    // Its frames are known now, and its functions run: nothing is planned anew.
    const told = await granted(now.acquire({ ...order, frames: 30 }));
    expect(told.functions).toBe(180);
    clock.advance(30_000);
    await before.renew();
    await after.renew();
    expect(await slots()).toMatchObject({ used: 181, leases: 1 });
    clock.advance(31_000);
    expect(await slots()).toMatchObject({ leases: 0 });
  });

  test('is planned anew where its worker learns how many frames there are, and stays where there is no room for more', async () => {
    const { worker, slots } = createScope(100);
    const budget = worker();
    const unknown = wide({ id: 'measured', frames: null });
    expect((await granted(budget.acquire(unknown))).functions).toBe(15);
    expect((await granted(budget.acquire({ ...unknown, frames: 60 }))).functions).toBe(3);
    expect(await slots()).toMatchObject({ leases: 1, used: 4 });
    while ((await budget.acquire(cell())) !== null);
    while ((await budget.acquire(wide({ frames: 20 }))) !== null);
    const { used } = await slots();
    expect(await budget.acquire({ ...unknown, frames: 36_000 })).toBeNull();
    expect(await slots()).toMatchObject({ used });
  });
});

describe('a refusal by AWS', () => {
  test('shrinks the budget once for all workers that meet it, and time lets it grow again', async () => {
    const { worker, slots, clock } = createScope(1_000);
    const leases: SlotLease[] = [];
    while (leases.length < 6) leases.push(await granted(worker().acquire(wide({ frames: 3_600 }))));
    const { used } = await slots();
    expect(used).toBeGreaterThan(900);
    await Promise.all(times(8, () => worker().throttled()));
    const limit = Math.round(used * 0.7);
    expect(await slots()).toMatchObject({ limit, ceiling: 1_000, throttledAt: new Date(noon) });
    expect(await worker().acquire(wide())).toBeNull();
    for (const lease of leases) await lease.release();
    expect(await worker().acquire(wide())).not.toBeNull();
    clock.advance(100_000);
    expect(await slots()).toMatchObject({ limit: limit + 100 });
    clock.advance(3_600_000);
    expect(await slots()).toMatchObject({ limit: 1_000 });
    // What was read is what whoever asks next is given.
    await worker().acquire(wide());
    expect(await slots()).toMatchObject({ limit: 1_000 });
  });

  test('is kept by a worker that starts afterwards', async () => {
    const { worker, slots } = createScope(100);
    await worker().acquire(wide({ frames: 40 }));
    await worker().throttled();
    await worker().acquire(wide({ frames: 20 }));
    expect((await slots()).limit).toBe(10);
  });
});

test('another ceiling holds from the next render on', async () => {
  const { scope, clock, worker, slots } = createScope(10);
  await granted(worker().acquire(wide()));
  const larger = createSlotBudget({ db, clock, scope, ceiling: 500, leaseSeconds: 300 });
  expect((await granted(larger.acquire(wide()))).functions).toBe(45);
  expect(await slots()).toMatchObject({ limit: 500, ceiling: 500 });
});

test('where nothing was rendered there is nothing to read', async () => {
  expect(await readSlots(db, 'nowhere', new Date(noon))).toBeNull();
});
