import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { maxGroup } from '../../../src/core/plan-feed.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { planNext, plannedExports, replan } from '../../../src/domain/exports/feed-exports.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { countUnfinished } from '../../../src/domain/exports/line-length.ts';
import {
  accept,
  complete,
  createOrganization,
  createUser,
  noon,
  openTestDatabase,
  outcomes,
  readExport,
  start,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const plus = (milliseconds: number) => new Date(now.getTime() + milliseconds);
const newUser = async (): Promise<Metered> => createUser(db, await createOrganization(db));
const room = (jobs: number) => ({ mode: 'local' as const, inFlight: jobs, slots: jobs });
const aged = (limit: number) => ({ mode: 'local' as const, ageMs: 5000, limit });
const planIds = async (inFlight: number, at: Date = now) =>
  ((await planNext(db, room(inFlight), at)) ?? []).map((one) => one.id);

/** Each test has a line of its own: whatever waits or runs is at an end. */
beforeEach(async () => {
  await db.updateTable('export').set({ status: 'canceled', canceled_at: now }).execute();
});

/** As many waiting exports as a busy customer has, in one statement. */
const fillLine = async (who: Metered, count: number): Promise<void> => {
  const first = await accept(db, who);
  const columns = Object.keys(first).filter((column) => column !== 'id' && column !== 'created_at');
  const names = sql.join(columns.map((column) => sql.ref(column)));
  await sql`INSERT INTO export (id, created_at, ${names})
    SELECT gen_random_uuid(), created_at + n * interval '1 microsecond', ${names}
    FROM export, generate_series(1, ${count - 1}) AS n WHERE id = ${first.id}`.execute(db);
};

describe('the next plan', () => {
  test('grows the epoch, marks the export as fed, and leaves nothing to plan again', async () => {
    const row = await accept(db, await newUser());
    expect(await planNext(db, room(10), plus(5))).toEqual([
      { kind: 'export', id: row.id, epoch: 1, groupId: null, priority: 0 },
    ]);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued', epoch: 1, fed_at: plus(5) });
    expect(await planNext(db, room(10), plus(6))).toEqual([]);
  });

  test('takes the one of B although 10,000 of A were there before it', async () => {
    const busy = await newUser();
    await fillLine(busy, 10_000);
    expect(await planIds(4)).toHaveLength(4);
    const small = await accept(db, await newUser(), {}, plus(1000));
    expect(await planIds(6, plus(2000))).toContain(small.id);
  });

  test('locks its exports by id, as whoever cancels a campaign does: neither waits for the other for ever', async () => {
    await fillLine(await newUser(), 200);
    // As the statistics of a table of some size have it: the plan is another one.
    await sql`ANALYZE export`.execute(db);
    let planned: Promise<readonly string[]> = Promise.resolve([]);
    await db.transaction().execute(async (canceling) => {
      const waiting = sql`SELECT FROM export WHERE status = 'queued' ORDER BY id`;
      await sql`${waiting} LIMIT 1 FOR UPDATE`.execute(canceling);
      planned = planIds(200);
      const waitingForLocks = async () => {
        const { rows } = await sql`SELECT FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event_type = 'Lock'`.execute(db);
        return rows.length;
      };
      await expect.poll(waitingForLocks).toBe(1);
      const all = await sql`${waiting} FOR UPDATE NOWAIT`.execute(canceling);
      expect(all.rows).toHaveLength(200);
    });
    expect(await planned).toHaveLength(200);
  });

  test('shares the room equally between organizations that wait', async () => {
    const users = await Promise.all(times(3, newUser));
    const rows = await Promise.all(users.flatMap((who) => times(5, () => accept(db, who))));
    const planned = new Set(await planIds(6));
    for (const who of users) {
      const theirs = rows.filter((row) => row.organization_id === who.organizationId && planned.has(row.id));
      expect(theirs).toHaveLength(2);
    }
  });

  test('counts what is at work: who has less in flight comes first', async () => {
    const [busy, idle] = [await newUser(), await newUser()];
    const working = await Promise.all(times(3, () => accept(db, busy)));
    await planIds(3);
    for (const row of working.slice(0, 2)) await start(db, await readExport(db, row.id));
    await accept(db, busy, {}, plus(1));
    const waiting = await Promise.all(times(3, (index) => accept(db, idle, {}, plus(10 + index))));
    expect((await planIds(6, plus(100))).toSorted()).toEqual(waiting.map((row) => row.id).toSorted());
  });

  test('goes by priority within an organization, then by age', async () => {
    const who = await newUser();
    const late = await accept(db, who, { priority: 5 }, now);
    const second = await accept(db, who, { priority: 1 }, plus(2));
    const first = await accept(db, who, { priority: 1 }, plus(1));
    const urgent = await accept(db, who, { priority: 0 }, plus(3));
    const order: string[] = [];
    for (const inFlight of [1, 2, 3, 4]) order.push(...(await planIds(inFlight, plus(10))));
    expect(order).toEqual([urgent.id, first.id, second.id, late.id]);
  });

  test('is as long as there is room, and empty where there is none', async () => {
    const who = await newUser();
    await Promise.all(times(5, () => accept(db, who)));
    expect(await planIds(3)).toHaveLength(3);
    expect(await planIds(3)).toHaveLength(0);
    expect(await planIds(2)).toHaveLength(0);
    expect(await planIds(4)).toHaveLength(1);
  });

  test('has room again when a render ends', async () => {
    const who = await newUser();
    await Promise.all(times(2, () => accept(db, who)));
    const [id = ''] = await planIds(1);
    expect(await planIds(1)).toHaveLength(0);
    await complete(db, await start(db, await readExport(db, id)));
    expect(await planIds(1)).toHaveLength(1);
  });

  test('leaves out what was canceled', async () => {
    const row = await accept(db, await newUser());
    await db.transaction().execute((tx) => requestCancel(tx, row.organization_id, row.id, now));
    expect(await planIds(10)).toEqual([]);
  });

  test('is made by one feeder at a time: a second one gets null and waits for nothing', async () => {
    const row = await accept(db, await newUser());
    const blocked = await db.transaction().execute(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(hashtext('rendermill:feeder:local'))`.execute(tx);
      return planNext(db, room(10), now);
    });
    expect(blocked).toBeNull();
    expect(await planIds(10)).toEqual([row.id]);
  });

  test('of ten feeders at once never holds an export twice, and never more than the room', async () => {
    const who = await newUser();
    await Promise.all(times(20, () => accept(db, who)));
    const { fulfilled, codes } = await outcomes(times(10, () => planNext(db, room(8), now)));
    expect(codes).toEqual([]);
    const planned = fulfilled.flatMap((plan) => plan ?? []).map((one) => one.id);
    expect(planned).toHaveLength(8);
    expect(new Set(planned).size).toBe(8);
  });
});

describe('what was planned', () => {
  test('is found once it is old enough, oldest first, while it has not ended', async () => {
    const who = await newUser();
    const [first, second, ended] = [await accept(db, who), await accept(db, who), await accept(db, who)];
    await planNext(db, room(1), plus(0));
    await planNext(db, room(3), plus(1000));
    await complete(db, await start(db, await readExport(db, ended.id)));
    expect(await plannedExports(db, aged(10), plus(4000))).toEqual([]);
    expect((await plannedExports(db, aged(10), plus(5500))).map((one) => one.id)).toEqual([first.id]);
    const all = await plannedExports(db, aged(10), plus(7000));
    expect(all).toEqual([
      { kind: 'export', id: first.id, epoch: 1, groupId: null },
      { kind: 'export', id: second.id, epoch: 1, groupId: null },
    ]);
    expect(await plannedExports(db, aged(1), plus(7000))).toHaveLength(1);
  });

  test('and was lost goes back into the line, and its next plan has a new epoch', async () => {
    const row = await accept(db, await newUser());
    const [planned] = (await planNext(db, room(10), now)) ?? [];
    await start(db, await readExport(db, row.id));
    expect(await replan(db, planned ? [planned] : [], plus(1))).toBe(1);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued', fed_at: null, epoch: 1 });
    expect(await planNext(db, room(10), plus(2))).toEqual([
      { kind: 'export', id: row.id, epoch: 2, groupId: null, priority: 0 },
    ]);
  });

  test('and was planned again or ended meanwhile stays as it is', async () => {
    const who = await newUser();
    const row = await accept(db, who);
    const ended = await accept(db, who);
    const planned = (await planNext(db, room(10), now)) ?? [];
    await complete(db, await start(db, await readExport(db, ended.id)));
    await db.updateTable('export').set({ epoch: 7 }).where('id', '=', row.id).execute();
    expect(await replan(db, planned, plus(1))).toBe(0);
    expect(await replan(db, [], plus(1))).toBe(0);
    expect(await readExport(db, ended.id)).toMatchObject({ status: 'completed' });
  });

  test('is counted for the operator by where it is', async () => {
    const who = await newUser();
    await Promise.all(times(4, () => accept(db, who)));
    const [first = ''] = await planIds(2);
    await start(db, await readExport(db, first));
    expect(await countUnfinished(db)).toEqual({ waiting: 2, planned: 1, started: 1 });
  });
});

test('where one job has room, its group is as large as what waits behind it permits', async () => {
  const who = await newUser();
  await fillLine(who, 400);
  await db.updateTable('export').set({ group_key: 'a size' }).where('status', '=', 'queued').execute();
  const planned = (await planNext(db, { mode: 'local', inFlight: 1, slots: 2 }, now)) ?? [];
  expect(planned).toHaveLength(maxGroup);
  expect(new Set(planned.map((one) => one.groupId)).size).toBe(1);
});
