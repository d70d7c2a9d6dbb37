import { afterAll, describe, expect, test } from 'vitest';
import { creditBalance, grantCredits, refundCredits } from '../../../src/domain/credits/ledger.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { limitState, type Metered, reserve } from '../../../src/domain/exports/limits.ts';
import { requestRender } from '../../../src/features/renders/request-render.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import {
  accept,
  accepting,
  aRequest,
  codeOf,
  countRows,
  createOrganization,
  createTestClock,
  createUser,
  eventNamesOf,
  noon,
  openTestDatabase,
  outcomes,
  registerCompositions,
  start,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const failure = { code: 'composition_error', text: 'It threw.' } as const;

const usedOn = async (who: Metered, day: string): Promise<number | undefined> => {
  const row = await db
    .selectFrom('usage_day')
    .select('used')
    .where('organization_id', '=', who.organizationId)
    .where('user_id', '=', who.userId)
    .where('day', '=', day)
    .executeTakeFirst();
  return row?.used;
};

const projectOf = (organizationId: string) =>
  db
    .selectFrom('project')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();

const grant = (who: Metered, amount: number) =>
  db.transaction().execute((tx) => grantCredits(tx, who, { amount, now }));

const fail = async (who: Metered, given: { at?: Date; acceptedAt?: Date } = {}) => {
  const row = await accept(db, who, {}, given.acceptedAt ?? now);
  const fence = await start(db, row, given.at ?? now);
  await db.transaction().execute((tx) => failExport(tx, fence, failure, given.at ?? now));
  return { row, fence };
};

describe('at once', () => {
  test('100 requests against "3 a day" accept exactly 3', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'free' });
    const { fulfilled, codes } = await outcomes(times(100, () => accept(db, who)));
    expect(fulfilled).toHaveLength(3);
    expect(codes).toEqual(times(97, () => 'daily_limit_reached'));
    expect(await usedOn(who, '2026-03-10')).toBe(3);
    expect((await projectOf(organizationId)).export_count).toBe(3);
    expect(await countRows(db, 'export', organizationId)).toBe(3);
    expect(await eventNamesOf(db, organizationId)).toEqual(times(3, () => 'job_created'));
  });

  test('100 requests of a user with 5 credits accept exactly 5, and the balance ends at 0', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await grant(who, 5);
    const { fulfilled, codes } = await outcomes(times(100, () => accept(db, who)));
    expect(fulfilled).toHaveLength(5);
    expect(codes).toEqual(times(95, () => 'insufficient_credits'));
    expect(await creditBalance(db, who)).toBe(0);
    const balances = await db
      .selectFrom('credit_entry')
      .select('balance_after')
      .where('organization_id', '=', organizationId)
      .where('kind', '=', 'spend')
      .execute();
    expect(balances.map((entry) => entry.balance_after).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(await usedOn(who, '2026-03-10')).toBe(5);
  });

  test('acceptances, failures and cancels of one user end without a deadlock and with the right counts', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await grant(who, 200);
    const rows = await Promise.all(times(30, () => accept(db, who)));
    const ending = rows.map((row, index) =>
      index % 2 === 0
        ? db.transaction().execute((tx) => requestCancel(tx, organizationId, row.id, now))
        : start(db, row).then((fence) =>
            db.transaction().execute((tx) => failExport(tx, fence, failure, now)),
          ),
    );
    const { codes } = await outcomes<unknown>([...ending, ...times(30, () => accept(db, who))]);
    expect(codes).toEqual([]);
    expect(await usedOn(who, '2026-03-10')).toBe(30);
    expect(await creditBalance(db, who)).toBe(170);
    expect((await projectOf(organizationId)).export_count).toBe(30);
  });
});

describe('a batch of reservations', () => {
  test('is reserved whole or not at all, and the refusal says how many remain', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'free' });
    const reserveMany = (exports: number) => db.transaction().execute((tx) => reserve(tx, who, exports, now));
    expect(await reserveMany(2)).toMatchObject({ limit: 3, remaining: 1, day: '2026-03-10' });
    await expect(reserveMany(2)).rejects.toMatchObject({
      code: 'daily_limit_reached',
      details: { limit: 3, remaining: 1, resetAt: '2026-03-11T00:00:00.000Z', tier: 'free' },
    });
    expect(await reserveMany(1)).toMatchObject({ remaining: 0 });
    await expect(reserveMany(4)).rejects.toMatchObject({ code: 'daily_limit_reached' });
    expect(await usedOn(who, '2026-03-10')).toBe(3);
  });

  test('a limit of 0 accepts nothing, and no limit accepts everything', async () => {
    const organizationId = await createOrganization(db);
    const none = await createUser(db, organizationId, {
      id: 'none',
      tier: 'free',
      tiers: { free: { dailyExports: 0 } },
    });
    expect((await outcomes([accept(db, none)])).codes).toEqual(['daily_limit_reached']);
    const all = await createUser(db, organizationId, { id: 'all', tier: 'unlimited' });
    expect((await outcomes(times(10, () => accept(db, all)))).codes).toEqual([]);
    expect(await limitState(db, all, now)).toMatchObject({ limit: null, remaining: null });
  });
});

describe('a refusal leaves nothing behind', () => {
  const leftovers = async (organizationId: string) => ({
    users: await countRows(db, 'end_user', organizationId),
    projects: await countRows(db, 'project', organizationId),
    usage: await countRows(db, 'usage_day', organizationId),
    exports: await countRows(db, 'export', organizationId),
    keys: await countRows(db, 'idempotency_key', organizationId),
    events: await countRows(db, 'domain_event', organizationId),
    eventKeys: await countRows(db, 'domain_event_key', organizationId),
    credits: await countRows(db, 'credit_entry', organizationId),
  });
  const nothing = {
    users: 0,
    projects: 0,
    usage: 0,
    exports: 0,
    keys: 0,
    events: 0,
    eventKeys: 0,
    credits: 0,
  };

  test.each([
    ['unknown composition', { compositionId: 'nope' }, 'composition_not_found'],
    ['props that do not fit', { props: { title: 5 } }, 'invalid_props'],
    ['a frame that does not exist', { frame: 5000 }, 'frame_out_of_range'],
    [
      'a video longer than the tier',
      { compositionId: 'long', kind: 'video', format: 'mp4' },
      'duration_exceeds_tier',
    ],
  ] as const)('%s', async (_name, given, code) => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    const deps = accepting(db, createTestClock());
    const order = { organizationId, request: aRequest(given), idempotencyKey: 'key-1', correlationId: 'c' };
    await expect(requestRender(deps, order)).rejects.toMatchObject({ code });
    expect(await leftovers(organizationId)).toEqual(nothing);
  });

  test('a limit that is reached', async () => {
    const organizationId = await createOrganization(db, { tiers: { free: { dailyExports: 0 } } });
    await registerCompositions(db, organizationId);
    const deps = accepting(db, createTestClock());
    const order = { organizationId, request: aRequest(), idempotencyKey: 'key-1', correlationId: 'c' };
    await expect(requestRender(deps, order)).rejects.toMatchObject({ code: 'daily_limit_reached' });
    expect(await leftovers(organizationId)).toEqual(nothing);
  });

  test('credits that do not reach: not even the reservation of the day', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    expect((await outcomes([accept(db, who)])).codes).toEqual(['insufficient_credits']);
    expect(await leftovers(organizationId)).toEqual({ ...nothing, users: 1 });
  });
});

const localHour = (at: string, timeZone: string): number =>
  Number(new Intl.DateTimeFormat('en', { timeZone, hour: '2-digit', hourCycle: 'h23' }).format(new Date(at)));

describe("the day is the organization's", () => {
  test.each([
    ['UTC', '2026-03-10T23:59:59.999Z', '2026-03-10', '2026-03-11T00:00:00.000Z'],
    ['UTC', '2026-03-11T00:00:00.000Z', '2026-03-11', '2026-03-12T00:00:00.000Z'],
    ['Europe/Berlin', '2026-03-10T22:59:59.999Z', '2026-03-10', '2026-03-10T23:00:00.000Z'],
    ['Europe/Berlin', '2026-03-10T23:00:00.000Z', '2026-03-11', '2026-03-11T23:00:00.000Z'],
    // The day of 23 hours and the day of 25.
    ['Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25', '2026-10-25T23:00:00.000Z'],
    ['America/New_York', '2026-03-08T04:59:59.000Z', '2026-03-07', '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-03-08T05:00:00.000Z', '2026-03-08', '2026-03-09T04:00:00.000Z'],
    ['Asia/Kathmandu', '2026-03-10T18:15:00.000Z', '2026-03-11', '2026-03-11T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-03-10T10:00:00.000Z', '2026-03-11', '2026-03-11T10:00:00.000Z'],
    // Here the clocks go forward at midnight: the day begins at one o'clock.
    ['Africa/Cairo', '2026-04-23T12:00:00.000Z', '2026-04-23', '2026-04-23T22:00:00.000Z'],
  ])('%s at %s', async (timeZone, at, day, resetAt) => {
    const who = await createUser(db, await createOrganization(db, { timeZone }), { tier: 'free', timeZone });
    const reservation = await db.transaction().execute((tx) => reserve(tx, who, 1, new Date(at)));
    expect(reservation).toEqual({
      day,
      hour: localHour(at, timeZone),
      limit: 3,
      remaining: 2,
      resetAt: new Date(resetAt),
    });
  });

  test('the limit is whole again with the new day', async () => {
    const timeZone = 'Europe/Berlin';
    const who = await createUser(db, await createOrganization(db, { timeZone }), { tier: 'free', timeZone });
    const before = new Date('2026-03-10T22:59:59.000Z');
    await Promise.all(times(3, () => accept(db, who, {}, before)));
    await expect(accept(db, who, {}, before)).rejects.toMatchObject({ code: 'daily_limit_reached' });
    await expect(accept(db, who, {}, new Date('2026-03-10T23:00:00.000Z'))).resolves.toMatchObject({
      charged_day: '2026-03-11',
    });
  });

  test('a late failure gives back to the day that was charged, and not to the day on which it failed', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'free' });
    const nextDay = new Date('2026-03-11T00:10:00.000Z');
    await accept(db, who, {}, nextDay);
    await fail(who, { acceptedAt: new Date('2026-03-10T23:59:00.000Z'), at: nextDay });
    expect(await usedOn(who, '2026-03-10')).toBe(0);
    expect(await usedOn(who, '2026-03-11')).toBe(1);
  });

  test('a failed export can be made up for on the same day', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'free' });
    await Promise.all(times(2, () => accept(db, who)));
    await fail(who);
    expect(await limitState(db, who, now)).toMatchObject({ remaining: 1 });
    await accept(db, who);
    await expect(accept(db, who)).rejects.toMatchObject({ code: 'daily_limit_reached' });
  });
});

describe("a project's count", () => {
  test('rises with each acceptance, falls with each failure and cancel, and remembers the last acceptance', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId);
    const later = new Date('2026-03-10T13:00:00.000Z');
    const first = await accept(db, who);
    await fail(who, { acceptedAt: later, at: new Date('2026-03-10T14:00:00.000Z') });
    expect(await projectOf(organizationId)).toMatchObject({ export_count: 1, last_export_at: later });
    await db.transaction().execute((tx) => requestCancel(tx, organizationId, first.id, now));
    expect(await projectOf(organizationId)).toMatchObject({ export_count: 0, last_export_at: later });
  });
});

describe('credits', () => {
  test('return once when an export fails, with before and after on record', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await grant(who, 3);
    const { fence } = await fail(who);
    expect(await creditBalance(db, who)).toBe(3);
    await expect(db.transaction().execute((tx) => failExport(tx, fence, failure, now))).rejects.toMatchObject(
      { code: 'render_lost' },
    );
    expect(await creditBalance(db, who)).toBe(3);
    const entries = await db
      .selectFrom('credit_entry')
      .select(['kind', 'amount', 'balance_after'])
      .where('organization_id', '=', organizationId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    expect(entries.map(({ kind, balance_after }) => [kind, balance_after])).toEqual(
      expect.arrayContaining([
        ['grant', 3],
        ['spend', 2],
        ['refund', 3],
      ]),
    );
    expect(entries).toHaveLength(3);
  });

  test('cannot be refunded twice for one export, whoever tries: the database refuses', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'credits' });
    await grant(who, 1);
    const { row } = await fail(who);
    const again = [{ amount: 1, exportId: row.id, reason: 'failed' }];
    const refused = db.transaction().execute((tx) => refundCredits(tx, who, again, now));
    expect(codeOf(await refused.catch((error: unknown) => error))).toBe('23505');
    expect(await creditBalance(db, who)).toBe(1);
  });

  test('of a user who never had any are 0', async () => {
    const who = await createUser(db, await createOrganization(db));
    expect(await creditBalance(db satisfies Database, who)).toBe(0);
  });
});
