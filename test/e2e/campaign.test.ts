/** Campaigns on the real parts: API, both queues' workers in processes of their own, browser, storage. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getRun } from '../../src/domain/batches/batch.ts';
import type { Checkpoint } from '../../src/features/renders/render-deps.ts';
import { cellsOf } from '../support/batches.ts';
import { endWorker, eventually, openScene, organizationId, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterAll(() => scene?.close());

let campaigns = 0;

interface Given {
  readonly variants?: number;
  readonly propsOf?: (index: number) => Record<string, unknown>;
  readonly sizes?: readonly { name: string; width: number; height: number }[];
  readonly name?: string;
}

/** Each with texts of its own, so that no file is used again unless a test wants it. */
const accept = async (given: Given = {}): Promise<string> => {
  const name = given.name ?? `campaign ${++campaigns}`;
  const propsOf = given.propsOf ?? ((index: number) => ({ productName: `${name} ${index}` }));
  const response = await scene.call('POST', '/api/campaigns', {
    userId: 'ada',
    projectId: 'launch',
    compositionId: 'product-card',
    kind: 'still',
    format: 'jpeg',
    sizes: given.sizes ?? [{ name: 'small', width: 320, height: 320 }],
    variants: Array.from({ length: given.variants ?? 12 }, (_, index) => ({
      name: `variant ${index}`,
      locale: 'en',
      props: propsOf(index),
    })),
  });
  const answer = (await response.json()) as { id: string };
  if (response.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.id;
};

const runOf = (id: string) => getRun(scene.resources.db, { batchId: id, run: 1 });

const closed = (id: string, withinMs = 90_000) =>
  eventually(
    () => runOf(id),
    (run) => run.closed_at !== null,
    { withinMs, what: `the close of ${id}` },
  );

const namesOf = async (id: string): Promise<string[]> => {
  const rows = await scene.resources.db
    .selectFrom('domain_event')
    .select('event_name')
    .where('organization_id', '=', organizationId)
    .where((row) =>
      row.or([
        row('entity_id', '=', id),
        row(
          'entity_id',
          'in',
          row
            .selectFrom('export')
            .select((select) => select.cast<string>('id', 'text').as('id'))
            .where('batch_id', '=', id),
        ),
      ]),
    )
    .orderBy('position')
    .execute();
  return rows.map((row) => row.event_name);
};

const countOf = (names: readonly string[], name: string): number =>
  names.filter((one) => one === name).length;

/** Each cell ended once, was charged once, and the batch was closed once. */
const expectOnce = async (id: string, cells: number): Promise<void> => {
  const names = await namesOf(id);
  expect(countOf(names, 'video_rendered')).toBe(cells);
  expect(countOf(names, 'processing_completed')).toBe(cells);
  expect(countOf(names, 'batch_started')).toBe(1);
  expect(countOf(names, 'batch_completed')).toBe(1);
  expect(names.at(-1)).toBe('batch_completed');
  const { db } = scene.resources;
  const artifacts = await db
    .selectFrom('artifact')
    .innerJoin('export', 'export.id', 'artifact.export_id')
    .select('artifact.file_id')
    .where('export.batch_id', '=', id)
    .execute();
  expect(artifacts).toHaveLength(cells);
};

const usage = async (): Promise<number> =>
  (
    await scene.resources.db
      .selectFrom('usage_day')
      .select('used')
      .where('user_id', '=', 'ada')
      .executeTakeFirst()
  )?.used ?? 0;

describe('a worker that is killed with SIGKILL', () => {
  const points: readonly Checkpoint[] = [
    'group_claimed',
    'group_half_rendered',
    'group_before_commit',
    'group_committed',
  ];

  test.each(points)(
    'at "%s" of a campaign: every cell once, one charge each, one close',
    async (point) => {
      const before = await usage();
      const id = await accept();
      await scene.killWorkerAt(point);
      const rescuer = await scene.startWorker();
      expect(await closed(id)).toMatchObject({ status: 'completed', succeeded: 12, failed: 0 });
      await expectOnce(id, 12);
      expect(await usage()).toBe(before + 12);
      await endWorker(rescuer);
      await scene.nothingRuns();
    },
    150_000,
  );
});

test('50 cells of which one throws: 49 files, one failure, and the retry renders just that one', async () => {
  const propsOf = (index: number) => ({
    productName: `Fifty ${index}`,
    ...(index === 20 ? { image: 'no-such-picture.png' } : {}),
  });
  const id = await accept({ variants: 50, propsOf, name: 'fifty' });
  const worker = await scene.startWorker({ WORKER_CONCURRENCY: '2' });
  expect(await closed(id)).toMatchObject({ status: 'completed', succeeded: 49, failed: 1 });
  const failed = (await cellsOf(scene.resources.db, id)).filter((cell) => cell.status === 'failed');
  expect(failed).toMatchObject([{ variant: 20, error_code: 'asset_missing' }]);
  const retried = await scene.call('POST', `/api/campaigns/${id}/retry`, {});
  expect(retried.status).toBe(202);
  await eventually(
    () => getRun(scene.resources.db, { batchId: id, run: 2 }),
    (run) => run.closed_at !== null,
  );
  expect((await cellsOf(scene.resources.db, id)).filter((cell) => cell.run === 2)).toMatchObject([
    { variant: 20, status: 'failed' },
  ]);
  await endWorker(worker);
}, 150_000);

test('two workers share a campaign and close it once', async () => {
  const sizes = [
    { name: 'square', width: 320, height: 320 },
    { name: 'banner', width: 640, height: 180 },
    { name: 'story', width: 270, height: 480 },
  ];
  const id = await accept({ variants: 12, sizes });
  const workers = await Promise.all([scene.startWorker(), scene.startWorker()]);
  expect(await closed(id)).toMatchObject({ status: 'completed', succeeded: 36 });
  await expectOnce(id, 36);
  const helpers = new Set((await cellsOf(scene.resources.db, id)).map((cell) => cell.worker_id));
  expect(helpers.size).toBe(2);
  await Promise.all(workers.map(endWorker));
}, 150_000);

test('a cancel half-way keeps what is rendered, gives the rest back, and closes once', async () => {
  const before = await usage();
  const id = await accept({ variants: 120 });
  const worker = await scene.startWorker();
  await eventually(
    () => runOf(id),
    (run) => run.succeeded > 0,
    { what: 'a first picture', withinMs: 60_000 },
  );
  expect((await scene.call('DELETE', `/api/campaigns/${id}`)).status).toBe(202);
  const run = await closed(id);
  expect(run.status).toBe('canceled');
  expect(run.succeeded + run.canceled).toBe(120);
  expect(run.canceled).toBeGreaterThan(0);
  expect(await usage()).toBe(before + run.succeeded);
  const names = await namesOf(id);
  expect(countOf(names, 'batch_cancelled')).toBe(1);
  expect(names).not.toContain('batch_completed');
  await endWorker(worker);
}, 150_000);

test('the same campaign again renders nothing; with one variant changed, only that one', async () => {
  const worker = await scene.startWorker();
  const first = await accept({ name: 'again', variants: 8 });
  await closed(first);
  const again = await accept({ name: 'again', variants: 8 });
  expect(await closed(again)).toMatchObject({ status: 'completed', succeeded: 8, cached: 8 });
  await expectOnce(again, 8);
  const propsOf = (index: number) => ({ productName: index === 3 ? 'another' : `again ${index}` });
  const changed = await accept({ propsOf, variants: 8 });
  expect(await closed(changed)).toMatchObject({ status: 'completed', succeeded: 8, cached: 7 });
  const rendered = (await cellsOf(scene.resources.db, changed)).filter((cell) => !cell.cached);
  expect(rendered).toMatchObject([{ variant: 3 }]);
  await endWorker(worker);
}, 150_000);
