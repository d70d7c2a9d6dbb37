/** Campaigns of a mode that no live worker serves, whose cells nobody has planned. */
import { describe, expect, test } from 'vitest';
import { feedDueRuns } from '../../../src/domain/batches/due-runs.ts';
import { prepareRetry } from '../../../src/domain/batches/open-run.ts';
import { creditBalance } from '../../../src/domain/credits/ledger.ts';
import { requestBatchCancel } from '../../../src/domain/exports/cancel-batch.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { planCells, readNextCells } from '../../../src/domain/exports/plan-cells.ts';
import { removeWorker } from '../../../src/domain/exports/workers.ts';
import { acceptBatch, cellsOf, planRun, squares } from '../../support/batches.ts';
import { complete, eventNamesOf, start, times } from '../../support/factories.ts';
import { openUnservedScene } from './unserved-scene.ts';

const { db, clock, timeoutSeconds, look, watchFor, both, beat, newUser, funded, onLambda, statusOf } =
  await openUnservedScene();

describe('a campaign that no worker has planned', () => {
  const onLambdaToo = { variants: 4, sizes: squares(2), renderMode: 'lambda' } as const;
  const runOf = (batchId: string) =>
    db.selectFrom('batch_run').selectAll().where('batch_id', '=', batchId).executeTakeFirstOrThrow();
  const usedOf = ({ organizationId }: Metered) =>
    db
      .selectFrom('usage_day')
      .select('used')
      .where('organization_id', '=', organizationId)
      .executeTakeFirstOrThrow();
  const projectOf = ({ organizationId }: Metered) =>
    db
      .selectFrom('project')
      .select('export_count')
      .where('organization_id', '=', organizationId)
      .executeTakeFirstOrThrow();
  const countOf = async ({ organizationId }: Metered, name: string) =>
    (await eventNamesOf(db, organizationId)).filter((one) => one === name).length;

  test('waits for the whole time, and then fails once, cell by cell, everything given back', async () => {
    const who = await funded(10);
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await creditBalance(db, who)).toBe(2);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    expect(await runOf(batch.id)).toMatchObject({ planned: 0, closed_at: null });
    await Promise.all([watchFor(120), look(), look()]);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', planned: 8, failed: 8, succeeded: 0 });
    expect(await creditBalance(db, who)).toBe(10);
    expect(await usedOf(who)).toEqual({ used: 0 });
    expect(await projectOf(who)).toEqual({ export_count: 0 });
    const cells = await cellsOf(db, batch.id);
    expect(cells.map((cell) => [cell.status, cell.error_code])).toEqual(
      times(8, () => ['failed', 'render_mode_unserved']),
    );
    for (const [name, count] of Object.entries({
      job_created: 8,
      processing_failed: 8,
      job_refunded: 8,
      batch_failed: 1,
      batch_completed: 0,
    })) {
      expect([name, await countOf(who, name)]).toEqual([name, count]);
    }
    expect(await watchFor(timeoutSeconds * 2)).toBe(0);
    expect(await countOf(who, 'batch_failed')).toBe(1);
  });

  test('of more cells than are planned at once ends as a whole, and all of it can be retried', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, { ...onLambdaToo, variants: 251 }, clock.now());
    expect(await watchFor(timeoutSeconds + 60)).toBe(502);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', failed: 502 });
    const retry = db.transaction().execute((tx) => prepareRetry(tx, batch));
    expect(await retry).toEqual({ run: 2, cells: 502 });
  });

  test('with RENDER_FALLBACK=local is rendered by the workers, in its whole', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(timeoutSeconds + 60, { fallsBack: true })).toBe(8);
    const cells = await cellsOf(db, batch.id);
    expect(cells.map((cell) => [cell.status, cell.render_mode])).toEqual(times(8, () => ['queued', 'local']));
    const fed = await planNext(db, { mode: 'local', inFlight: 100, slots: 100 }, clock.now());
    expect(fed).toHaveLength(8);
    for (const cell of await cellsOf(db, batch.id)) await complete(db, await start(db, cell, clock.now()));
    expect(await runOf(batch.id)).toMatchObject({ status: 'completed', succeeded: 8 });
    expect(await countOf(who, 'batch_completed')).toBe(1);
    expect(await countOf(who, 'processing_failed')).toBe(0);
  });

  test('and that was canceled stays what it is', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    await db.transaction().execute((tx) => requestBatchCancel(tx, batch, clock.now()));
    expect(await watchFor(timeoutSeconds + 60)).toBe(0);
    expect(await runOf(batch.id)).toMatchObject({ status: 'canceled', canceled: 8 });
    expect(await countOf(who, 'batch_cancelled')).toBe(1);
  });

  test('is left alone while its mode has a worker, or it is young, or it may wait for ever', async () => {
    const who = await newUser();
    const old = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(timeoutSeconds * 2, { timeoutSeconds: 0 })).toBe(0);
    const worker = await beat(both);
    expect(await watchFor(timeoutSeconds * 2)).toBe(0);
    await removeWorker(db, worker);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    const young = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(120)).toBe(8);
    expect([(await runOf(old.id)).planned, (await runOf(young.id)).planned]).toEqual([8, 0]);
  });

  test('goes on with whoever has planned a part of it: each cell is an export once', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, { ...onLambdaToo, variants: 110 }, clock.now());
    const [fed] = await feedDueRuns(db, clock.now());
    if (!fed) throw new Error('the run is due');
    const plan = await readNextCells(db, fed, 200, 'renderer-1');
    if (!plan) throw new Error('there is something to plan');
    await db.transaction().execute((tx) => planCells(tx, fed, plan, new Map(), clock.now()));
    await watchFor(timeoutSeconds - 60);
    await Promise.all([watchFor(120), planRun(db, fed, clock.now())]);
    expect((await cellsOf(db, batch.id)).length).toBe(220);
    await watchFor(timeoutSeconds + 120);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', failed: 220 });
    expect(await countOf(who, 'job_created')).toBe(220);
    expect(await countOf(who, 'batch_failed')).toBe(1);
  });

  test('and that cannot be planned holds up no other', async () => {
    const who = await newUser();
    const bad = await acceptBatch(db, who, { ...onLambdaToo, compositionId: 'hero-ad' }, clock.now());
    await db.updateTable('batch').set({ version: 'ffffffffffffffff' }).where('id', '=', bad.id).execute();
    const good = await acceptBatch(db, who, onLambdaToo, clock.now());
    const row = await onLambda(who);
    expect(await watchFor(timeoutSeconds + 60)).toBe(9);
    expect(await statusOf(row)).toBe('failed');
    expect([(await runOf(good.id)).status, (await runOf(bad.id)).planned]).toEqual(['failed', 0]);
  });
});
