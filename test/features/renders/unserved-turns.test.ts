/** Who comes first where much waits without a worker, and how much a round does. */
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Fence } from '../../../src/domain/exports/export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { findUnserved, unservedModes, watchGapMs, watchModes } from '../../../src/domain/exports/unserved.ts';
import type { Clock } from '../../../src/platform/clock/clock.ts';
import { acceptBatch, squares } from '../../support/batches.ts';
import { accept, noon, times } from '../../support/factories.ts';
import { openUnservedScene } from './unserved-scene.ts';

const { db, clock, timeoutSeconds, lookEveryMs, round, watchFor, newUser, onLambda, statusOf } =
  await openUnservedScene();

describe('turns and bounds', () => {
  const overdueLambda = { mode: 'lambda', before: new Date(noon), perLine: 10 } as const;
  const idsOf = (fences: readonly Fence[]) => fences.map(({ exportId }) => exportId);
  /** All that is accepted by now is overdue, and nothing has ended yet. */
  const becomeOverdue = async () => {
    await watchFor(timeoutSeconds - lookEveryMs / 1000);
    clock.advance(lookEveryMs);
  };
  const plannedOf = async (batchId: string) => {
    const { planned } = await db
      .selectFrom('batch_run')
      .select('planned')
      .where('batch_id', '=', batchId)
      .executeTakeFirstOrThrow();
    return planned;
  };
  const campaign = (who: Metered, variants: number) =>
    acceptBatch(db, who, { variants, sizes: squares(1), renderMode: 'lambda' }, clock.now());

  test('organizations take turns, each in the order of its line, also with what is planned already', async () => {
    const [many, few] = [await newUser(), await newUser()];
    const acceptAt = (who: Metered, second: number) =>
      accept(db, who, { renderMode: 'lambda' }, new Date(Date.parse(noon) - (60 - second) * 1000));
    const [a, b, c, d] = [
      await acceptAt(many, 1),
      await acceptAt(many, 2),
      await acceptAt(many, 3),
      await acceptAt(many, 4),
    ];
    const [x, y] = [await acceptAt(few, 5), await acceptAt(few, 6)];
    await db
      .updateTable('export')
      .set({ fed_at: new Date(noon) })
      .where('id', 'in', [b.id, x.id])
      .execute();
    const inTurns = [a.id, x.id, b.id, y.id, c.id, d.id];
    expect(idsOf(await findUnserved(db, { ...overdueLambda, limit: 10 }))).toEqual(inTurns);
    expect(idsOf(await findUnserved(db, { ...overdueLambda, limit: 3 }))).toEqual(inTurns.slice(0, 3));
  });

  test('of one line a round ends so many, and the next one goes on', async () => {
    const who = await newUser();
    for (const _ of times(7, () => 0)) await Promise.all(times(15, () => onLambda(who)));
    await becomeOverdue();
    expect(await round()).toEqual({ settled: 100, isMore: true });
    expect(await round()).toEqual({ settled: 5, isMore: true });
    expect(await round()).toEqual({ settled: 0, isMore: false });
  });

  test('a large campaign is made exports part by part, and what waits ends before the first of them', async () => {
    const batch = await campaign(await newUser(), 120);
    const row = await onLambda(await newUser());
    await becomeOverdue();
    expect((await round()).settled).toBe(1);
    expect([await statusOf(row), await plannedOf(batch.id)]).toEqual(['failed', 100]);
    expect((await round()).settled).toBe(100);
    expect(await plannedOf(batch.id)).toBe(120);
  });

  test('whoever has one campaign waits behind no more than one of each of the others', async () => {
    const first = await Promise.all(times(5, () => newUser()));
    const one = await newUser();
    const older = [];
    for (const who of [...first, ...first, ...first]) older.push(await campaign(who, 1));
    const younger = await campaign(one, 1);
    await becomeOverdue();
    await round();
    await round();
    expect(await plannedOf(younger.id)).toBe(1);
    const planned = await Promise.all(older.map(({ id }) => plannedOf(id)));
    expect(planned.filter((count) => count > 0)).toHaveLength(9);
  });

  test('an export that cannot be ended holds up none of the others', async () => {
    const [bad, good] = [await onLambda(await newUser()), await onLambda(await newUser())];
    await sql`
      CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no end'; END $$;
      CREATE TRIGGER refuse_end BEFORE UPDATE OF status ON export FOR EACH ROW
        WHEN (OLD.id = ${sql.lit(bad.id)}::uuid) EXECUTE FUNCTION refuse_end()`.execute(db);
    try {
      expect(await watchFor(timeoutSeconds + 60)).toBe(1);
      expect([await statusOf(bad), await statusOf(good)]).toEqual(['queued', 'failed']);
    } finally {
      await sql`DROP TRIGGER refuse_end ON export; DROP FUNCTION refuse_end`.execute(db);
    }
  });

  test('a round that lasts long is no time in which nobody watched', async () => {
    const who = await newUser();
    for (const _ of times(3, () => 0)) await Promise.all(times(15, () => onLambda(who)));
    await becomeOverdue();
    const since = (await unservedModes(db, clock.now())).find(({ renderMode }) => renderMode === 'lambda');
    /** Each reading takes three seconds, and each export is a reading. */
    const slow: Clock = {
      now: () => {
        clock.advance(3_000);
        return clock.now();
      },
    };
    const begun = clock.now().getTime();
    expect((await round({ clock: slow })).settled).toBe(45);
    expect(clock.now().getTime() - begun).toBeGreaterThan(watchGapMs);
    expect(await watchModes(db, clock.now())).toContainEqual(since);
  });
});
