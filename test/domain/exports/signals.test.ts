import { afterAll, describe, expect, test } from 'vitest';
import type { TierName } from '../../../src/core/tiers.ts';
import { feedDueRuns } from '../../../src/domain/batches/due-runs.ts';
import { creditBalance, grantCredits } from '../../../src/domain/credits/ledger.ts';
import { acceptRun } from '../../../src/domain/exports/accept-run.ts';
import { addStatusPolls } from '../../../src/domain/exports/add-status-polls.ts';
import { completeExports } from '../../../src/domain/exports/complete-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { awaitRetry } from '../../../src/domain/exports/return-export.ts';
import { planBatch, planRun, squares } from '../../support/batches.ts';
import {
  accept,
  acceptAndStart,
  aFile,
  complete,
  createOrganization,
  createUser,
  eventsOf,
  noon,
  openTestDatabase,
  readExport,
  registerCompositions,
  start,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const newUser = async (tier: TierName = 'unlimited') => {
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId);
  return createUser(db, organizationId, { tier });
};
const failure = { code: 'composition_error', text: 'It threw.' } as const;

const propertiesOf = async (who: Metered, name: string) =>
  (await eventsOf(db, who.organizationId))
    .filter((event) => event.event_name === name)
    .map((event) => event.properties);
const repetitions = async (who: Metered) =>
  (await propertiesOf(who, 'job_created')).map((properties) => properties.job_reprocessed_same_input);

describe('the same asked for again', () => {
  test('is known, in whatever order the props are written', async () => {
    const who = await newUser();
    await accept(db, who, { request: { props: { title: 'Sale', colour: 'red' } } });
    await accept(db, who, { request: { props: { colour: 'red', title: 'Sale' } } });
    expect(await repetitions(who)).toEqual([false, true]);
  });

  test.each([
    ['props', { request: { props: { title: 'b' } } }],
    ['format', { format: 'jpeg' }],
    ['kind', { kind: 'video', format: 'mp4' }],
    ['size', { planned: { width: 540, height: 540, durationSeconds: null } }],
    ['composition', { compositionId: 'open' }],
    ['version', { version: 'ffffffffffffffff' }],
    ['quality', { request: { props: {}, quality: 50 } }],
  ] as const)('is not what has another %s', async (_name, other) => {
    const who = await newUser();
    await accept(db, who);
    await accept(db, who, other);
    expect(await repetitions(who)).toEqual([false, false]);
  });

  test('is the same whether the size was named or is the own of the composition', async () => {
    const who = await newUser();
    await accept(db, who, { request: { props: {} } });
    await accept(db, who, { request: { props: {}, width: 1080, height: 1080 } });
    expect(await repetitions(who)).toEqual([false, true]);
  });

  test('counts whatever came of the first', async () => {
    const who = await newUser();
    const { fence } = await acceptAndStart(db, who);
    await db.transaction().execute((tx) => failExport(tx, fence, failure, now));
    await accept(db, who);
    expect(await repetitions(who)).toEqual([false, true]);
  });

  test('by another user, or by a user of that name elsewhere, is not', async () => {
    const who = await newUser();
    const neighbour = await createUser(db, who.organizationId, { id: 'user-2' });
    const stranger = await newUser();
    for (const one of [who, neighbour, stranger]) await accept(db, one);
    expect(await repetitions(who)).toEqual([false, false]);
    expect(await repetitions(stranger)).toEqual([false]);
  });

  test('ten times at once is once for the first time', async () => {
    const who = await newUser();
    await Promise.all(times(10, () => accept(db, who)));
    const found = await repetitions(who);
    expect(found.filter((one) => one === false)).toHaveLength(1);
    expect(found.filter((one) => one === true)).toHaveLength(9);
  });
});

describe('the cells of a batch', () => {
  const titled = (index: number) => ({ title: `Variant ${index}` });
  const one = squares(1);

  test('of which half were made before are half repeated', async () => {
    const who = await newUser();
    await planBatch(db, who, { variants: 4, sizes: one, propsOf: titled });
    await planBatch(db, who, { variants: 8, sizes: one, propsOf: titled });
    expect(await repetitions(who)).toEqual(times(12, (index) => index >= 4 && index < 8));
  });

  test('are what was asked for alone, and the other way round', async () => {
    const who = await newUser();
    const planned = { width: 100, height: 100, durationSeconds: null };
    await accept(db, who, { planned, request: { props: titled(0) } });
    await planBatch(db, who, { variants: 2, sizes: one, propsOf: titled });
    await accept(db, who, { planned, request: { props: titled(1) } });
    expect(await repetitions(who)).toEqual([false, true, false, true]);
  });

  test('that are equal among themselves repeat nothing', async () => {
    const who = await newUser();
    await planBatch(db, who, { variants: 600, sizes: one, propsOf: () => ({ title: 'one and the same' }) });
    expect(new Set(await repetitions(who))).toEqual(new Set([false]));
  });

  test('that are retried by their batch repeat nothing', async () => {
    const who = await newUser();
    const { batch, cells } = await planBatch(db, who, { variants: 2, sizes: one, propsOf: titled });
    for (const cell of cells) {
      const fence = await start(db, cell);
      await db.transaction().execute((tx) => failExport(tx, fence, failure, now));
    }
    await db.updateTable('batch').set({ run: 2 }).where('id', '=', batch.id).execute();
    await db
      .transaction()
      .execute((tx) => acceptRun(tx, who, batch, { run: 2, cells: 2, correlationId: 'test' }, now));
    for (const fed of await feedDueRuns(db, now)) await planRun(db, fed, now);
    expect(await repetitions(who)).toEqual([false, false, false, false]);
  });
});

describe('credits before and after', () => {
  const creditsOf = async (who: Metered) =>
    (await propertiesOf(who, 'job_created'))
      .map(({ credits_before, credits_after }) => [credits_before, credits_after] as [number, number])
      .toSorted(([a], [b]) => b - a);

  test('of single exports and of the cells of batches, all at once, are one chain down to the balance', async () => {
    const who = await newUser('credits');
    await db.transaction().execute((tx) => grantCredits(tx, who, { amount: 50, now }));
    await Promise.all([
      planBatch(db, who, { variants: 5, sizes: squares(2) }),
      ...times(7, (index) => accept(db, who, { request: { props: { title: `Alone ${index}` } } })),
      planBatch(db, who, { variants: 3, sizes: squares(1) }),
    ]);
    // Whichever of the two was due first may have planned both.
    for (const fed of await feedDueRuns(db, now)) await planRun(db, fed, now);
    expect(await creditsOf(who)).toEqual(times(20, (index) => [50 - index, 49 - index]));
    expect(await creditBalance(db, who)).toBe(30);
  });

  test('are absent where nothing is spent', async () => {
    const who = await newUser();
    await planBatch(db, who, { variants: 1, sizes: squares(1) });
    expect(Object.keys((await propertiesOf(who, 'job_created'))[0] ?? {})).not.toContain('credits_before');
  });
});

describe('the end of an export', () => {
  test('tells how many attempts went before and how often its state was asked for', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await addStatusPolls(db, new Map([[row.id, 3]]));
    await addStatusPolls(db, new Map([[row.id, 2]]));
    await db.transaction().execute((tx) => awaitRetry(tx, fence, { ...failure, code: 'browser_lost' }, now));
    await complete(db, await start(db, await readExport(db, row.id)));
    expect(await propertiesOf(who, 'processing_completed')).toMatchObject([
      { attempt: 2, retry_count: 1, status_poll_count: 5 },
    ]);
  });

  test('tells the same when it failed', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await addStatusPolls(db, new Map([[row.id, 4]]));
    await db
      .transaction()
      .execute((tx) => failExport(tx, fence, { ...failure, code: 'render_timeout' }, now));
    expect(await propertiesOf(who, 'processing_failed')).toMatchObject([
      { attempt: 1, retry_count: 0, status_poll_count: 4 },
    ]);
  });

  test('tells of sound where that is known, and the file keeps it', async () => {
    const who = await newUser();
    const video = { kind: 'video', format: 'mp4' } as const;
    for (const hasSound of [true, false, null])
      await complete(db, (await acceptAndStart(db, who, video)).fence, { hasSound });
    const told = (await propertiesOf(who, 'processing_completed')).map(({ audio_present }) => audio_present);
    expect(told).toEqual([true, false, undefined]);
    const kept = await db
      .selectFrom('artifact')
      .select('has_sound')
      .where('organization_id', '=', who.organizationId)
      .execute();
    expect(new Set(kept.map((row) => row.has_sound))).toEqual(new Set([true, false, null]));
  });
});

describe('polls', () => {
  test('of an export that has ended, or that does not exist, are of no interest', async () => {
    const { row, fence } = await acceptAndStart(db, await newUser());
    await complete(db, fence);
    await addStatusPolls(
      db,
      new Map([
        [row.id, 3],
        ['00000000-0000-4000-8000-000000000000', 1],
      ]),
    );
    expect(await readExport(db, row.id)).toMatchObject({ status_polls: 0 });
  });

  test('that several processes write in another order wait for each other, and for what ends, without a deadlock', async () => {
    const who = await newUser();
    const started = await Promise.all(times(60, () => acceptAndStart(db, who)));
    const polls = started.map(({ row }) => [row.id, 1] as const);
    const writes = times(20, (index) => addStatusPolls(db, new Map(index % 2 ? polls : polls.toReversed())));
    const finished = started.slice(0, 30).map(({ fence }) => ({ fence, file: aFile() }));
    await db.transaction().execute((tx) => completeExports(tx, finished.toReversed(), now));
    await Promise.all(writes);
    const counts = await Promise.all(started.slice(30).map(({ row }) => readExport(db, row.id)));
    expect(new Set(counts.map((row) => row.status_polls))).toEqual(new Set([20]));
  });
});
