/** Batches in the state that a test wants: accepted, planned into exports, fed to workers. */
import type { BatchSize } from '../../src/core/batches.ts';
import { newId } from '../../src/core/ids.ts';
import { type Batch, getBatch } from '../../src/domain/batches/batch.ts';
import { type FedRun, feedDueRuns } from '../../src/domain/batches/due-runs.ts';
import { addVariants, type NewBatch, stageBatch } from '../../src/domain/batches/stage-batch.ts';
import { acceptRun } from '../../src/domain/exports/accept-run.ts';
import type { Export } from '../../src/domain/exports/export.ts';
import type { Metered } from '../../src/domain/exports/limits.ts';
import { planCells, readNextCells } from '../../src/domain/exports/plan-cells.ts';
import type { Database } from '../../src/platform/db/client.ts';
import { compositionVersion, noon, times } from './factories.ts';

export const squares = (count: number): BatchSize[] =>
  times(count, (index) => ({
    name: `size-${index}`,
    width: 100 * (index + 1),
    height: 100 * (index + 1),
    device: null,
  }));

export interface BatchGiven extends Partial<NewBatch> {
  readonly variants?: number;
  readonly propsOf?: (index: number) => Record<string, unknown>;
}

/** Accepted: run 1 is reserved, nothing is planned. */
export const acceptBatch = async (
  db: Database,
  who: Metered,
  given: BatchGiven = {},
  now: Date = new Date(noon),
): Promise<Batch> => {
  const { variants = 3, propsOf = (index) => ({ title: `Variant ${index}` }), ...more } = given;
  const id = more.id ?? newId(now);
  const sizes = more.sizes ?? squares(2);
  await db.transaction().execute(async (tx) => {
    await stageBatch(
      tx,
      {
        id,
        organizationId: who.organizationId,
        userId: who.userId,
        projectId: 'project-1',
        jobType: 'campaign',
        campaignId: null,
        kind: 'still',
        format: 'png',
        renderMode: 'local',
        compositionId: 'hero-ad',
        version: compositionVersion,
        template: {},
        reuse: true,
        ...more,
        sizes,
      },
      now,
    );
    await addVariants(
      tx,
      id,
      times(variants, (index) => ({
        name: `variant-${index}`,
        locale: 'en',
        props: propsOf(index),
        line: null,
      })),
    );
    const batch = { id, project_id: 'project-1' };
    const order = { run: 1, cells: variants * sizes.length, correlationId: 'test' };
    await acceptRun(tx, who, batch, order, now);
  });
  return (await getBatch(db, who.organizationId, id)).batch;
};

/** The campaign queue's planning of one run, until nothing is left. Nothing is used again. */
export const planRun = async (db: Database, fed: FedRun, now: Date = new Date(noon)): Promise<void> => {
  for (;;) {
    const plan = await readNextCells(db, fed, 500, 'renderer-1');
    if (!plan) return;
    await db.transaction().execute((tx) => planCells(tx, fed, plan, new Map(), now));
  }
};

/** Accepted, and every cell is an export that waits in the line. */
export const planBatch = async (
  db: Database,
  who: Metered,
  given: BatchGiven = {},
  now: Date = new Date(noon),
): Promise<{ batch: Batch; cells: Export[] }> => {
  const batch = await acceptBatch(db, who, given, now);
  for (const fed of await feedDueRuns(db, now)) await planRun(db, fed, now);
  return { batch, cells: await cellsOf(db, batch.id) };
};

export const cellsOf = (db: Database, batchId: string): Promise<Export[]> =>
  db
    .selectFrom('export')
    .selectAll()
    .where('batch_id', '=', batchId)
    .orderBy('run')
    .orderBy('line_order')
    .execute();
