import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { findArtifactsOf } from '../../../src/domain/artifacts/artifacts.ts';
import { getRun } from '../../../src/domain/batches/batch.ts';
import { findStillCheck } from '../../../src/domain/compositions/still-check.ts';
import { requestBatchCancel } from '../../../src/domain/exports/cancel-batch.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import type { FedJob } from '../../../src/domain/exports/fed-work.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { createRenderProcessor } from '../../../src/features/renders/process.ts';
import type { RunRenderDeps } from '../../../src/features/renders/render-deps.ts';
import type { ActiveJob } from '../../../src/platform/queue/contract.ts';
import type { Renderer, RenderSpec, StillsSpec } from '../../../src/platform/renderer/contract.ts';
import { type BatchGiven, cellsOf, planBatch, squares } from '../../support/batches.ts';
import { compositionVersion, eventsOf, noon } from '../../support/factories.ts';
import { openWorkerScene } from './worker-scene.ts';

const { db, employ } = await openWorkerScene();
/** Each test has the line for itself. */
beforeEach(async () => {
  await db.updateTable('export').set({ status: 'canceled' }).where('status', '=', 'queued').execute();
});

const result = { width: 100, height: 100, durationSeconds: null, renderTimeMs: 12, cost: null };
const titleOf = (props: Readonly<Record<string, unknown>>): string => String(props.title);

interface Orders {
  readonly together: StillsSpec[];
  readonly alone: RenderSpec[];
}

interface Behaviour {
  /** What a picture in a page with others holds; alone it holds its title. */
  readonly together?: (title: string, place: number) => string;
  readonly failing?: (title: string) => RendermillError | undefined;
  /** Called before each picture of a page. */
  readonly before?: (title: string, signal: AbortSignal | undefined) => Promise<void>;
}

/** The port, with files that say what they show. */
const rendererThat = (behaviour: Behaviour, orders: Orders): Renderer => ({
  mode: 'local',
  version: 'renderer-1',
  render: async (spec) => {
    orders.alone.push(spec);
    const title = titleOf(spec.inputProps);
    const error = behaviour.failing?.(title);
    if (error) throw error;
    await writeFile(spec.outputPath, title);
    return result;
  },
  renderStills: async (spec, { signal, onOutcome }) => {
    orders.together.push(spec);
    for (const [index, item] of spec.items.entries()) {
      const title = titleOf(item.inputProps);
      await behaviour.before?.(title, signal);
      if (signal?.aborted) throw new RendermillError('render_canceled');
      const error = behaviour.failing?.(title);
      if (error) {
        onOutcome({ index, type: 'failed', error });
        continue;
      }
      await writeFile(item.outputPath, behaviour.together?.(title, index) ?? title);
      onOutcome({ index, type: 'rendered', result });
    }
  },
  close: async () => undefined,
});

const setUp = async (behaviour: Behaviour = {}, given: BatchGiven = {}) => {
  const orders: Orders = { together: [], alone: [] };
  const { deps, who, organizationId, leftovers } = await employ(rendererThat(behaviour, orders));
  const { batch } = await planBatch(db, who, { variants: 6, sizes: squares(1), ...given });
  const template = {
    organizationId,
    version: compositionVersion,
    compositionId: 'hero-ad',
    rendererVersion: 'renderer-1',
  };
  return {
    deps,
    who,
    batch,
    orders,
    template,
    leftovers,
    contents: async () => {
      const cells = await cellsOf(db, batch.id);
      const artifacts = await findArtifactsOf(
        db,
        cells.map((cell) => cell.id),
      );
      return Promise.all(
        [...artifacts.values()].map(async ({ storage_key }) => {
          const chunks = await (await deps.storage.read(storage_key)).toArray();
          return Buffer.concat(chunks).toString('utf8');
        }),
      );
    },
  };
};

const feed = async (): Promise<readonly FedJob[]> =>
  (await planNext(db, { mode: 'local', inFlight: 1_000, slots: 1 }, new Date(noon))) ?? [];

const jobsOf = (fed: readonly FedJob[], signal = new AbortController().signal): ActiveJob[] => {
  const jobs = new Map<string, ActiveJob>();
  for (const { id, epoch, groupId } of fed) {
    const data = groupId === null ? { exportId: id, epoch } : { groupId };
    const key = groupId ?? id;
    jobs.set(key, { id: key, name: 'test', data, attemptsMade: 0, attemptsAllowed: 3, signal });
  }
  return [...jobs.values()];
};

/** As the queue would: until nothing waits. */
const workThrough = async (deps: RunRenderDeps): Promise<void> => {
  const work = createRenderProcessor(deps);
  for (let fed = await feed(); fed.length > 0; fed = await feed()) {
    for (const job of jobsOf(fed)) await tryThrice(() => work(job));
  }
};

/** A failed attempt comes again from the queue itself. */
const tryThrice = async (work: () => Promise<void>): Promise<void> => {
  for (let attempt = 0; attempt < 3; attempt++) {
    const failed = await work().then(
      () => false,
      () => true,
    );
    if (!failed) return;
  }
};

const statusesOf = async (batchId: string) =>
  (await cellsOf(db, batchId)).map((cell: Export) => cell.status).toSorted();
const titles = (count: number) => Array.from({ length: count }, (_, index) => `Variant ${index}`);

describe('a group', () => {
  test('is rendered together, recorded, and leaves nothing on this machine', async () => {
    const { deps, batch, orders, contents, leftovers } = await setUp();
    await workThrough(deps);
    expect(await statusesOf(batch.id)).toEqual(Array(6).fill('completed'));
    expect((await contents()).toSorted()).toEqual(titles(6));
    // Five for the first look, one of them alone as well, then the rest.
    expect(orders.together.map((spec) => spec.items.length)).toEqual([5, 1]);
    expect(orders.alone.map((spec) => titleOf(spec.inputProps))).toEqual(['Variant 4']);
    expect(await leftovers()).toEqual([]);
    expect(await getRun(db, { batchId: batch.id, run: 1 })).toMatchObject({
      status: 'completed',
      succeeded: 6,
    });
  });

  test('of a known template is one call, with the size, the format and the frame that were asked for', async () => {
    const { deps, who, orders } = await setUp();
    await workThrough(deps);
    orders.together.length = 0;
    const given = {
      variants: 7,
      format: 'jpeg',
      template: { quality: 70, scale: 2, frame: -1 },
      sizes: squares(1),
    } as const;
    await planBatch(db, who, given);
    await workThrough(deps);
    expect(orders.together.map((spec) => spec.items.length)).toEqual([7]);
    expect(orders.together[0]).toMatchObject({
      compositionId: 'hero-ad',
      bundlePath: `/bundles/${compositionVersion}`,
      format: 'jpeg',
      quality: 70,
      scale: 2,
      width: 100,
      height: 100,
      maxStillMs: 1000,
    });
    expect(orders.together[0]?.items.map(({ frame }) => frame)).toEqual(Array(7).fill(-1));
    expect(orders.alone).toHaveLength(1);
  });

  test('with one cell that throws: its failure is its own', async () => {
    const failing = (title: string) =>
      title === 'Variant 17' ? new RendermillError('composition_error', { message: 'boom' }) : undefined;
    const { deps, batch, contents } = await setUp({ failing }, { variants: 50 });
    await workThrough(deps);
    expect(await contents()).toHaveLength(49);
    const failed = (await cellsOf(db, batch.id)).filter((cell) => cell.status === 'failed');
    expect(failed).toMatchObject([{ variant: 17, error_code: 'composition_error', error_text: 'boom' }]);
    const [closed] = (await eventsOf(db, batch.organization_id)).filter(
      (event) => event.event_name === 'batch_completed',
    );
    expect(closed?.properties).toMatchObject({ totalItems: 50, successCount: 49, failCount: 1 });
  });

  test('with a cell that loses its browser: it is tried again alone, and fails after three times', async () => {
    const failing = (title: string) =>
      title === 'Variant 2' ? new RendermillError('browser_lost') : undefined;
    const { deps, batch, orders } = await setUp({ failing });
    await workThrough(deps);
    const cells = await cellsOf(db, batch.id);
    expect(cells.find((cell) => cell.variant === 2)).toMatchObject({
      status: 'failed',
      error_code: 'browser_lost',
      attempt: 3,
    });
    expect(cells.filter((cell) => cell.status === 'completed')).toHaveLength(5);
    expect(orders.alone.filter((spec) => titleOf(spec.inputProps) === 'Variant 2')).toHaveLength(2);
  });
});

describe('a template whose pictures differ when they share a page', () => {
  const leaky: Behaviour = { together: (title, place) => `${title}, number ${place} of its page` };

  test('is rendered one by one from then on, and no picture of the page is handed out', async () => {
    const { deps, who, batch, orders, contents, template } = await setUp(leaky);
    await workThrough(deps);
    expect((await contents()).toSorted()).toEqual(titles(6));
    expect(await findStillCheck(db, template)).toBe(false);
    expect(await statusesOf(batch.id)).toEqual(Array(6).fill('completed'));
    orders.together.length = 0;
    await planBatch(db, who, { variants: 8 });
    await workThrough(deps);
    expect(orders.together).toEqual([]);
  });

  test('is found out where only a later picture differs from what it is alone', async () => {
    const late: Behaviour = { together: (title, place) => (place === 0 ? title : `${title} after ${place}`) };
    const { deps, contents, template } = await setUp(late);
    await workThrough(deps);
    expect(await findStillCheck(db, template)).toBe(false);
    expect((await contents()).toSorted()).toEqual(titles(6));
  });
});

describe('a template of which most pictures fail', () => {
  const late = (title: string, place: number) => (place === 0 ? title : `${title} after ${place}`);
  const fails = (title: string) =>
    /(0|9)$/.test(title) ? undefined : new RendermillError('composition_error', { message: 'boom' });

  test('is looked at until two pictures could be compared: none goes out of a page that nobody looked at', async () => {
    const { deps, contents, template } = await setUp({ together: late, failing: fails }, { variants: 40 });
    await workThrough(deps);
    const good = titles(40).filter((title) => fails(title) === undefined);
    expect((await contents()).toSorted()).toEqual(good.toSorted());
    expect(await findStillCheck(db, template)).toBe(false);
  });
});

test('what came from a group is not used again once its template is found to differ', async () => {
  const { deps, who, batch, template } = await setUp();
  await workThrough(deps);
  const hashes = async () => (await cellsOf(db, batch.id)).map((cell) => cell.content_hash);
  expect((await hashes()).every((hash) => hash !== null)).toBe(true);
  await db.deleteFrom('still_check').where('organization_id', '=', template.organizationId).execute();
  await planBatch(db, who, {
    variants: 6,
    sizes: squares(1),
    propsOf: (index) => ({ title: `Other ${index}` }),
  });
  await workThrough({
    ...deps,
    renderer: rendererThat({ together: (title) => `${title}?` }, { together: [], alone: [] }),
  });
  expect(await findStillCheck(db, template)).toBe(false);
  expect((await hashes()).every((hash) => hash === null)).toBe(true);
});

describe('a group that is ended early', () => {
  test('by the cancel of its batch: what was rendered stays, the rest is canceled and given back', async () => {
    let cancel: () => Promise<unknown> = async () => undefined;
    const before = async (title: string, signal: AbortSignal | undefined) => {
      if (title !== 'Variant 10') return;
      const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
      await cancel();
      await aborted;
    };
    const { deps, who, batch } = await setUp({ before }, { variants: 20 });
    cancel = () => db.transaction().execute((tx) => requestBatchCancel(tx, batch, deps.clock.now()));
    for (const job of jobsOf(await feed())) await createRenderProcessor(deps)(job);
    const statuses = await statusesOf(batch.id);
    const completed = statuses.filter((status) => status === 'completed').length;
    expect(statuses.filter((status) => status === 'canceled').length).toBe(20 - completed);
    expect(completed).toBeGreaterThan(0);
    expect(completed).toBeLessThan(20);
    const { used } = await db
      .selectFrom('usage_day')
      .select('used')
      .where('organization_id', '=', who.organizationId)
      .executeTakeFirstOrThrow();
    expect(used).toBe(completed);
    expect(await getRun(db, { batchId: batch.id, run: 1 })).toMatchObject({
      status: 'canceled',
      succeeded: completed,
    });
    const names = (await eventsOf(db, batch.organization_id)).map((event) => event.event_name);
    expect(names.filter((name) => name === 'batch_cancelled')).toHaveLength(1);
    expect(names).not.toContain('batch_completed');
  });

  test('by the end of the worker: what is not rendered goes back and costs no attempt', async () => {
    const stopping = new AbortController();
    const before = async (title: string, signal: AbortSignal | undefined) => {
      if (title !== 'Variant 12') return;
      stopping.abort();
      expect(signal?.aborted).toBe(true);
    };
    const { deps, batch } = await setUp({ before }, { variants: 20 });
    for (const job of jobsOf(await feed(), stopping.signal)) await createRenderProcessor(deps)(job);
    const waiting = (await cellsOf(db, batch.id)).filter((cell) => cell.status === 'queued');
    expect(waiting.length).toBeGreaterThanOrEqual(8);
    expect(waiting.every((cell) => cell.fed_at === null && cell.attempt === cell.hand_backs)).toBe(true);
  });

  test('by the loss of its cells to another worker: it changes nothing more', async () => {
    let take: () => Promise<unknown> = async () => undefined;
    const before = async (title: string) => {
      if (title === 'Variant 10') await take();
    };
    const { deps, batch, contents } = await setUp({ before }, { variants: 20 });
    take = () =>
      db
        .updateTable('export')
        .set((row) => ({ attempt: row('attempt', '+', 1) }))
        .where('batch_id', '=', batch.id)
        .where('status', '=', 'started')
        .execute();
    for (const job of jobsOf(await feed())) await createRenderProcessor(deps)(job);
    const cells = await cellsOf(db, batch.id);
    const completed = cells.filter((cell) => cell.status === 'completed').length;
    expect(cells.filter((cell) => cell.status === 'started')).toHaveLength(20 - completed);
    expect(await contents()).toHaveLength(completed);
    expect(await getRun(db, { batchId: batch.id, run: 1 })).toMatchObject({
      status: 'running',
      succeeded: completed,
      failed: 0,
    });
  });
});

test('a group whose worker died goes back into the line and comes again in smaller groups', async () => {
  const { deps, batch } = await setUp({}, { variants: 30 });
  const [job, ...others] = jobsOf(await feed());
  if (!job) throw new Error('nothing was fed');
  await db
    .updateTable('export')
    .set({ status: 'started', attempt: 1 })
    .where('batch_id', '=', batch.id)
    .where('group_id', '=', String(job.data.groupId))
    .execute();
  await createRenderProcessor(deps)(job);
  const again = await feed();
  const sizes = new Map<string, number>();
  for (const { id, groupId } of again) sizes.set(groupId ?? id, (sizes.get(groupId ?? id) ?? 0) + 1);
  expect(again.length).toBeGreaterThan(0);
  expect(Math.max(...sizes.values())).toBeLessThanOrEqual(8);
  for (const one of [...others, ...jobsOf(again)]) await createRenderProcessor(deps)(one);
  expect(await statusesOf(batch.id)).toEqual(Array(30).fill('completed'));
});

test('two workers that finish the last two cells at the same instant close the batch once', async () => {
  for (let round = 0; round < 10; round++) {
    const id = randomBytes(4).toString('hex');
    const { deps, batch } = await setUp(
      {},
      { variants: 2, propsOf: (index) => ({ title: `${id} ${index}` }) },
    );
    const fed = (await feed()).map((one) => ({ ...one, groupId: null }));
    await db.updateTable('export').set({ group_id: null }).where('batch_id', '=', batch.id).execute();
    await Promise.all(jobsOf(fed).map((job) => createRenderProcessor(deps)(job)));
    const closes = (await eventsOf(db, batch.organization_id)).filter((event) =>
      /^batch_(c|f)/.test(event.event_name),
    );
    expect(closes.map((event) => event.event_name)).toEqual(['batch_completed']);
  }
});
