import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import {
  claimIdempotencyKey,
  dropExpiredKeys,
  findAnswer,
  hashRequest,
  isKnownKey,
  storeAnswer,
} from '../../../src/domain/exports/idempotency.ts';
import { requestRender } from '../../../src/features/renders/request-render.ts';
import {
  accepting,
  aRequest,
  countRows,
  createOrganization,
  createTestClock,
  eventNamesOf,
  hours,
  openTestDatabase,
  registerCompositions,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const setUp = async () => {
  const clock = createTestClock();
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId);
  const ask = (
    given: Parameters<typeof aRequest>[0] = {},
    idempotencyKey = 'key-1',
    organization = organizationId,
  ) =>
    requestRender(accepting(db, clock), {
      organizationId: organization,
      request: aRequest(given),
      idempotencyKey,
      correlationId: 'c',
    });
  return { ask, clock, organizationId };
};

describe('an idempotency key', () => {
  test('gives the same answer again and no second render, whatever the state of the first is by then', async () => {
    const { ask, organizationId } = await setUp();
    const first = await ask();
    await db
      .updateTable('export')
      .set({ status: 'completed' })
      .where('organization_id', '=', organizationId)
      .execute();
    const second = await ask();
    expect(first.replayed).toBe(false);
    expect(second).toEqual({ answer: first.answer, replayed: true });
    expect(await countRows(db, 'export', organizationId)).toBe(1);
    expect(await eventNamesOf(db, organizationId)).toEqual(['job_created']);
  });

  test('makes one render of 20 duplicates at once, and all get the same answer', async () => {
    const { ask, organizationId } = await setUp();
    const answers = await Promise.all(times(20, () => ask()));
    expect(new Set(answers.map(({ answer }) => answer.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await countRows(db, 'export', organizationId)).toBe(1);
  });

  test('with another body is refused', async () => {
    const { ask, organizationId } = await setUp();
    await ask();
    await expect(ask({ props: { title: 'Other' } })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await countRows(db, 'export', organizationId)).toBe(1);
  });

  test('of a refused request is free: what was wrong can be put right under the same key', async () => {
    const { ask, organizationId } = await setUp();
    await expect(ask({ props: { title: 5 } })).rejects.toMatchObject({ code: 'invalid_props' });
    expect(await countRows(db, 'idempotency_key', organizationId)).toBe(0);
    await expect(ask({ props: { title: 'Right' } })).resolves.toMatchObject({ replayed: false });
  });

  test('of a first request that is refused lets the duplicate that waited for it go on', async () => {
    const { ask, organizationId } = await setUp();
    const answers = await Promise.allSettled(
      times(10, (index) => ask(index === 0 ? { props: { title: 5 } } : {})),
    );
    const accepted = answers.filter((one) => one.status === 'fulfilled');
    expect(accepted.length).toBeGreaterThanOrEqual(9);
    expect(await countRows(db, 'export', organizationId)).toBe(1);
  });

  test('is known for 24 hours, and new after them', async () => {
    const { ask, clock, organizationId } = await setUp();
    const first = await ask();
    clock.advance(hours(24) - 1);
    expect(await ask()).toEqual({ answer: first.answer, replayed: true });
    clock.advance(1);
    const again = await ask({ props: { title: 'Another day' } });
    expect(again.replayed).toBe(false);
    expect(await countRows(db, 'export', organizationId)).toBe(2);
  });

  test('that has expired makes one render of ten at once', async () => {
    const { ask, clock, organizationId } = await setUp();
    await ask();
    clock.advance(hours(25));
    const answers = await Promise.all(times(10, () => ask()));
    expect(new Set(answers.map(({ answer }) => answer.id)).size).toBe(1);
    expect(await countRows(db, 'export', organizationId)).toBe(2);
  });

  test("is the organization's own: two may use the same", async () => {
    const { ask } = await setUp();
    const other = await createOrganization(db);
    await registerCompositions(db, other);
    const [mine, theirs] = [await ask(), await ask({ props: { title: 'Theirs' } }, 'key-1', other)];
    expect(theirs.replayed).toBe(false);
    expect(theirs.answer.id).not.toBe(mine.answer.id);
  });

  test('is cleaned away after its time, and not before', async () => {
    const { ask, clock, organizationId } = await setUp();
    await ask();
    await dropExpiredKeys(db, clock.now());
    expect(await countRows(db, 'idempotency_key', organizationId)).toBe(1);
    clock.advance(hours(24));
    await dropExpiredKeys(db, clock.now());
    expect(await countRows(db, 'idempotency_key', organizationId)).toBe(0);
  });
});

describe('the hash of a request', () => {
  test('does not depend on the order in which a client writes its properties', () => {
    expect(hashRequest({ a: 1, b: { c: [1, { d: 2, e: 3 }] } })).toBe(
      hashRequest({ b: { c: [1, { e: 3, d: 2 }] }, a: 1 }),
    );
  });

  test.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, {}],
    [{ a: {} }, { a: [] }],
  ])('differs for %j and %j', (one, other) => {
    expect(hashRequest(one)).not.toBe(hashRequest(other));
  });
});

describe('looking for a key ahead of the work', () => {
  const scopeOf = (organizationId: string) => ({ organizationId, route: 'r', key: 'k', requestHash: 'h' });
  const look = (organizationId: string, now: Date) =>
    Promise.all([isKnownKey(db, scopeOf(organizationId), now), findAnswer(db, scopeOf(organizationId), now)]);

  test('claims nothing, and finds what a request that has just claimed it answers in the end', async () => {
    const { clock, organizationId } = await setUp();
    const now = clock.now();
    expect(await look(organizationId, now)).toEqual([false, null]);
    expect(await countRows(db, 'idempotency_key', organizationId)).toBe(0);
    const tx = await db.startTransaction().execute();
    await claimIdempotencyKey(tx, scopeOf(organizationId), now);
    const answer = findAnswer(db, scopeOf(organizationId), now);
    await expect.poll(() => waitingForOthers()).toBeGreaterThan(0);
    await storeAnswer(tx, scopeOf(organizationId), { id: 'first' });
    await tx.commit().execute();
    expect(await answer).toEqual({ id: 'first' });
    expect(await isKnownKey(db, scopeOf(organizationId), now)).toBe(true);
  });

  test('without its body waits for nobody', async () => {
    const { clock, organizationId } = await setUp();
    const now = clock.now();
    const tx = await db.startTransaction().execute();
    try {
      await claimIdempotencyKey(tx, scopeOf(organizationId), now);
      expect(await isKnownKey(db, scopeOf(organizationId), now)).toBe(false);
    } finally {
      await tx.commit().execute();
    }
    expect(await isKnownKey(db, scopeOf(organizationId), now)).toBe(true);
  });

  test('finds nothing of a request that came to nothing, or of one whose day is over', async () => {
    const { clock, organizationId } = await setUp();
    const now = clock.now();
    const tx = await db.startTransaction().execute();
    await claimIdempotencyKey(tx, scopeOf(organizationId), now);
    const answer = findAnswer(db, scopeOf(organizationId), now);
    await expect.poll(() => waitingForOthers()).toBeGreaterThan(0);
    await tx.rollback().execute();
    expect(await answer).toBeNull();
    expect(await isKnownKey(db, scopeOf(organizationId), now)).toBe(false);
    await db.transaction().execute((after) => claimIdempotencyKey(after, scopeOf(organizationId), now));
    expect(await isKnownKey(db, scopeOf(organizationId), now)).toBe(true);
    clock.advance(hours(24));
    expect(await look(organizationId, clock.now())).toEqual([false, null]);
  });

  test('of another request is a conflict', async () => {
    const { clock, organizationId } = await setUp();
    await db.transaction().execute((tx) => claimIdempotencyKey(tx, scopeOf(organizationId), clock.now()));
    const other = { ...scopeOf(organizationId), requestHash: 'other' };
    await expect(findAnswer(db, other, clock.now())).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });
});

/** Statements that wait for another transaction. */
const waitingForOthers = async (): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.count ?? 0;
};
