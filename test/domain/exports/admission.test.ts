import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { markCanceled } from '../../../src/domain/batches/due-runs.ts';
import { createAdmission } from '../../../src/domain/exports/admission.ts';
import { acceptBatch, planBatch, squares } from '../../support/batches.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createTestClock,
  createUser,
  openTestDatabase,
  registerCompositions,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);
beforeEach(async () => {
  await db.updateTable('export').set({ status: 'canceled' }).execute();
  await db.updateTable('batch_run').set({ due: false }).execute();
});

const newUser = async () => {
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId);
  return createUser(db, organizationId);
};
const setUp = async (maxWaiting: number) => {
  const clock = createTestClock();
  return { clock, who: await newUser(), admission: createAdmission({ db, clock, maxWaiting }) };
};
/** How many more fit, by a fresh look. */
const room = async (maxWaiting = 100): Promise<number> => {
  const admission = createAdmission({ db, clock: createTestClock(), maxWaiting });
  await admission.look();
  const fitting = times(maxWaiting + 1, (count) => admission.refusalOf(count) === null);
  return fitting.lastIndexOf(true);
};
const refusalOf = (work: () => void): RendermillError => {
  try {
    work();
  } catch (error) {
    if (error instanceof RendermillError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('what waits', () => {
  test('are exports of every organization in the line and in the queue, but not those at work or ended', async () => {
    const [a, b] = [await newUser(), await newUser()];
    expect(await room()).toBe(100);
    await accept(db, a);
    const planned = await accept(db, b, { renderMode: 'lambda' });
    await db.updateTable('export').set({ fed_at: new Date() }).where('id', '=', planned.id).execute();
    expect(await room()).toBe(98);
    const { fence } = await acceptAndStart(db, a);
    expect(await room()).toBe(98);
    await complete(db, fence);
    expect(await room()).toBe(98);
  });

  test('are the cells of a batch, whether they are exports already or not, each once', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, { variants: 10, sizes: squares(2) });
    expect(await room()).toBe(80);
    await db.updateTable('batch_run').set({ due: false }).where('batch_id', '=', batch.id).execute();
    await planBatch(db, who, { variants: 5, sizes: squares(2) });
    expect(await room()).toBe(90);
  });

  test('are not the cells of a batch that is being canceled', async () => {
    const batch = await acceptBatch(db, await newUser(), { variants: 10, sizes: squares(1) });
    const run = await db
      .selectFrom('batch_run')
      .selectAll()
      .where('batch_id', '=', batch.id)
      .executeTakeFirstOrThrow();
    await db.transaction().execute((tx) => markCanceled(tx, run, new Date()));
    expect(await room()).toBe(100);
  });

  test('is a cut video that waits for its join', async () => {
    const { row } = await acceptAndStart(db, await newUser());
    await db.updateTable('export').set({ fed_at: null }).where('id', '=', row.id).execute();
    expect(await room()).toBe(99);
  });
});

describe('admission', () => {
  test('lets in what fits as a whole, and what it let in counts at once', async () => {
    const { admission } = await setUp(5);
    await admission.look();
    admission.take(3);
    expect(() => admission.assertRoom(2)).not.toThrow();
    const refusal = refusalOf(() => admission.take(3));
    expect(refusal.code).toBe('service_overloaded');
    expect(refusal.details).toEqual({ waiting: 3, limit: 5, retryAfterSeconds: 30 });
    admission.take(2);
    expect(refusalOf(() => admission.assertRoom(1)).message).toMatch(/5 renders are waiting/);
  });

  test('counts its refusals, and not the questions whether it would', async () => {
    const { admission } = await setUp(2);
    admission.take(1);
    expect(admission.refusalOf(2)?.code).toBe('service_overloaded');
    expect(admission.refused()).toBe(0);
    expect(() => admission.take(2)).toThrow();
    expect(() => admission.assertRoom(2)).toThrow();
    expect(admission.refused()).toBe(2);
  });

  test('refuses a batch that is larger than the bound for good: no waiting would help, and none is counted as overload', async () => {
    const { admission } = await setUp(5);
    const refusal = refusalOf(() => admission.take(6));
    expect(refusal).toMatchObject({
      code: 'invalid_request',
      status: 400,
      details: { exports: 6, limit: 5 },
      message: expect.stringMatching(/6 renders .* lets 5 wait .*Split them: at most 5/),
    });
    expect(admission.refused()).toBe(0);
  });

  test('counts again after a second, and not before: what it let in meanwhile is not counted twice', async () => {
    const { admission, clock, who } = await setUp(5);
    await admission.look();
    await Promise.all(times(4, () => accept(db, who)));
    admission.take(4);
    clock.advance(999);
    await admission.look();
    expect(admission.refusalOf(1)).toBeNull();
    expect(admission.refusalOf(2)).not.toBeNull();
    clock.advance(1);
    await admission.look();
    expect(admission.refusalOf(1)).toBeNull();
    expect(admission.refusalOf(2)).not.toBeNull();
  });

  test('sees what others accepted, and what has ended, within a second', async () => {
    const { admission, clock, who } = await setUp(2);
    await admission.look();
    const rows = await Promise.all(times(2, () => accept(db, who)));
    expect(admission.refusalOf(1)).toBeNull();
    clock.advance(1_000);
    await admission.look();
    expect(admission.refusalOf(1)?.details).toMatchObject({ waiting: 2 });
    await db
      .updateTable('export')
      .set({ status: 'canceled' })
      .where(
        'id',
        'in',
        rows.map((row) => row.id),
      )
      .execute();
    clock.advance(1_000);
    await admission.look();
    expect(admission.refusalOf(2)).toBeNull();
  });

  test('reads the line once for a hundred that ask at once', async () => {
    let counts = 0;
    const counting = db.withPlugin({
      transformQuery: ({ node }) => {
        counts += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const admission = createAdmission({ db: counting, clock: createTestClock(), maxWaiting: 5 });
    await Promise.all(times(100, () => admission.look()));
    expect(counts).toBe(1);
  });

  test('counts the less often the longer it takes', async () => {
    const clock = createTestClock();
    let counts = 0;
    let slowMs = 300;
    const slow = db.withPlugin({
      transformQuery: ({ node }) => {
        counts += 1;
        clock.advance(slowMs);
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const admission = createAdmission({ db: slow, clock, maxWaiting: 5 });
    const countsIn = async (seconds: number) => {
      counts = 0;
      for (let second = 0; second < seconds; second += 1) {
        await admission.look();
        clock.advance(1_000);
      }
      return counts;
    };
    expect(await countsIn(9)).toBe(3);
    slowMs = 60_000;
    await countsIn(1);
    slowMs = 0;
    expect(await countsIn(10)).toBe(1);
  });

  test('says when to come back by how fast the line has been shrinking', async () => {
    const { admission, clock, who } = await setUp(40);
    const rows = await Promise.all(times(40, () => accept(db, who)));
    const end = (count: number) =>
      db
        .updateTable('export')
        .set({ status: 'canceled' })
        .where(
          'id',
          'in',
          rows.splice(0, count).map((row) => row.id),
        )
        .execute();
    await admission.look();
    await end(10);
    clock.advance(20_000);
    await admission.look();
    // One left every two seconds, and there are ten too many.
    expect(admission.refusalOf(20)?.details).toEqual({ waiting: 30, limit: 40, retryAfterSeconds: 20 });
    clock.advance(61_000);
    await admission.look();
    expect(admission.refusalOf(20)?.details).toMatchObject({ retryAfterSeconds: 30 });
  });

  test('that could not look says why, and looks again at the next chance', async () => {
    let failures = 1;
    const failingOnce = db.withPlugin({
      transformQuery: ({ node }) => {
        if (failures-- > 0) throw new Error('Connection terminated unexpectedly');
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    await accept(db, await newUser());
    const admission = createAdmission({ db: failingOnce, clock: createTestClock(), maxWaiting: 1 });
    await expect(admission.look()).rejects.toThrow('Connection terminated');
    await admission.look();
    expect(admission.refusalOf(1)).not.toBeNull();
  });
});
