import { beforeEach, describe, expect, test } from 'vitest';
import { feedDueRuns, refeedRuns } from '../../../src/domain/batches/due-runs.ts';
import { createTenant, openTestApi, type Tenant } from '../../support/api.ts';
import { createUser, eventsOf, times } from '../../support/factories.ts';
import {
  aCampaign,
  cellsIn,
  completeCell,
  jobOf,
  planAll,
  post,
  processorOf,
  read,
  renderAll,
  request,
  startCell,
  usageOf,
} from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
  await createUser(api.db, tenant.organizationId, { tier: 'pro' });
});

const namesOf = async () => (await eventsOf(api.db, tenant.organizationId)).map((event) => event.event_name);
const countOf = async (name: string) => (await namesOf()).filter((one) => one === name).length;
const eventOf = async (name: string) =>
  (await eventsOf(api.db, tenant.organizationId)).filter((event) => event.event_name === name);
const feedOne = async () => {
  const [fed] = await feedDueRuns(api.db, api.clock.now());
  if (!fed) throw new Error('no run is due');
  return fed;
};
const all = ['queued', 'started', 'completed', 'failed', 'canceled'] as const;

describe('the planning', () => {
  test('makes an export of each cell, the largest size first, and then has nothing to do', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    const cells = await cellsIn(api, id);
    expect(cells.map((cell) => [cell.size, cell.variant])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
    expect(await countOf('job_created')).toBe(6);
    expect(await feedDueRuns(api.db, api.clock.now())).toEqual([]);
  });

  test('that was killed between parts goes on where it ended, and doubles nothing', async () => {
    await api.db
      .updateTable('end_user')
      .set({ tier: 'unlimited' })
      .where('organization_id', '=', tenant.organizationId)
      .execute();
    const id = await request(api, tenant, { variants: 1_100, sizes: 1 });
    const fed = await feedOne();
    const killed = processorOf(api, () => {
      throw new Error('killed');
    });
    await expect(killed(jobOf(fed))).rejects.toThrow('killed');
    const before = (await cellsIn(api, id)).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(1_100);
    await refeedRuns(api.db, [fed], api.clock.now());
    await planAll(api);
    const cells = await cellsIn(api, id);
    expect(new Set(cells.map((cell) => cell.variant)).size).toBe(1_100);
    expect(cells).toHaveLength(1_100);
    expect(await countOf('job_created')).toBe(1_100);
    // The one that was thought dead comes back.
    await processorOf(api)(jobOf(fed));
    expect(await cellsIn(api, id)).toHaveLength(1_100);
  });

  test('by two at once plans each cell once', async () => {
    await api.db
      .updateTable('end_user')
      .set({ tier: 'unlimited' })
      .where('organization_id', '=', tenant.organizationId)
      .execute();
    const id = await request(api, tenant, { variants: 700, sizes: 2 });
    const job = jobOf(await feedOne());
    await Promise.all([processorOf(api)(job), processorOf(api)(job)]);
    expect(await cellsIn(api, id)).toHaveLength(1_400);
    expect(await countOf('job_created')).toBe(1_400);
  });
});

describe('the close of a batch', () => {
  test('is recorded once with every property of its document', async () => {
    const id = await request(api, tenant, { campaignId: 'spring' });
    await planAll(api);
    api.clock.advance(1_000);
    const [first, ...others] = await cellsIn(api, id);
    if (!first) throw new Error('no cell');
    const fence = await startCell(api, first);
    api.clock.advance(2_000);
    await completeCell(api, first, fence);
    await renderAll(api, id, (_row, index) => index === others.length - 1);
    const [completed, ...more] = await eventOf('batch_completed');
    expect(more).toEqual([]);
    expect(completed?.properties).toEqual({
      jobId: id,
      jobType: 'campaign',
      campaignId: 'spring',
      projectId: 'project-1',
      compositionId: 'hero-ad',
      totalItems: 6,
      successCount: 5,
      failCount: 1,
      canceledCount: 0,
      cachedCount: 0,
      variantCount: 3,
      sizeCount: 2,
      run: 1,
      duration: 2_000,
      timestamp: api.clock.now().toISOString(),
    });
    expect(await countOf('batch_started')).toBe(1);
    expect(await namesOf()).toHaveLength(6 + 1 + 6 + 6 + 5 + 1 + 1);
    expect(await read(api, tenant, id)).toMatchObject({
      status: 'completed',
      counts: { total: 6, done: 6, succeeded: 5, failed: 1, canceled: 0, cached: 0 },
      zipPath: `/api/export/zip?campaignId=${id}`,
    });
  });

  test('of one item records no event of a batch', async () => {
    const id = await request(api, tenant, { variants: 1, sizes: 1 });
    await planAll(api);
    await renderAll(api, id);
    expect(await read(api, tenant, id)).toMatchObject({ status: 'completed' });
    expect((await namesOf()).filter((name) => name.startsWith('batch_'))).toEqual([]);
  });

  test('of which every item failed is batch_failed', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id, () => true);
    expect(await countOf('batch_failed')).toBe(1);
    expect(await countOf('batch_completed')).toBe(0);
    expect(await usageOf(api, tenant)).toEqual({ used: 0, counted: 0 });
  });

  test('happens once when two finish the last two cells at the same instant, 20 times', async () => {
    await api.db
      .updateTable('end_user')
      .set({ tier: 'unlimited' })
      .where('organization_id', '=', tenant.organizationId)
      .execute();
    for (let round = 1; round <= 20; round += 1) {
      const id = await request(api, tenant, { variants: 1, reuse: false });
      await planAll(api);
      const cells = await cellsIn(api, id);
      const started = await Promise.all(
        cells.map(async (row) => ({ row, fence: await startCell(api, row) })),
      );
      await Promise.all(started.map(({ row, fence }) => completeCell(api, row, fence)));
      expect(await read(api, tenant, id)).toMatchObject({ status: 'completed', progress: { done: 2 } });
      expect(await countOf('batch_completed')).toBe(round);
      expect(await countOf('batch_started')).toBe(round);
    }
  });
});

describe('a retry', () => {
  test('reserves, charges and renders just what failed', async () => {
    const id = await request(api, tenant, { campaignId: 'spring' });
    await planAll(api);
    await renderAll(api, id, (row) => row.variant === 1);
    expect(await usageOf(api, tenant)).toEqual({ used: 4, counted: 4 });
    const response = await api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ id, run: 2, cells: 2, remaining: 44 });
    expect(await usageOf(api, tenant)).toEqual({ used: 6, counted: 6 });
    expect(await read(api, tenant, id)).toMatchObject({
      status: 'accepted',
      counts: { succeeded: 4, failed: 0, done: 4 },
    });
    const waiting = (await read(api, tenant, id)).cells.items;
    expect(waiting.filter((cell) => cell.status === 'waiting')).toHaveLength(2);
    await planAll(api);
    expect((await cellsIn(api, id)).map((row) => [row.run, row.variant])).toEqual([
      [2, 1],
      [2, 1],
    ]);
    await renderAll(api, id);
    expect(await read(api, tenant, id)).toMatchObject({
      status: 'completed',
      counts: { total: 6, succeeded: 6, failed: 0 },
      runs: [
        { run: 1, failed: 2 },
        { run: 2, total: 2, succeeded: 2 },
      ],
    });
    expect((await eventOf('batch_completed')).map((event) => event.properties.run)).toEqual([1, 2]);
  });

  test('is refused while a run goes on, and where nothing failed', async () => {
    const id = await request(api, tenant);
    const retry = async () =>
      (await api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key })).json();
    expect(await retry()).toMatchObject({ error: { code: 'batch_running' } });
    await planAll(api);
    await renderAll(api, id);
    expect(await retry()).toMatchObject({ error: { code: 'nothing_to_retry' } });
  });

  test('asked for by ten at once is one', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id, () => true);
    const statuses = await Promise.all(
      times(
        10,
        async () =>
          (await api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key })).status,
      ),
    );
    expect(statuses.toSorted()).toEqual([202, ...times(9, () => 409)]);
    expect(await usageOf(api, tenant)).toEqual({ used: 6, counted: 6 });
  });
});

describe('a cancel', () => {
  const cancel = (id: string) => api.call(`/api/campaigns/${id}`, { method: 'DELETE', key: tenant.key });

  test('half-way gives back exactly what was not rendered, and closes with one event', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    const [done, running] = await cellsIn(api, id);
    if (!done || !running) throw new Error('no cells');
    await completeCell(api, done, await startCell(api, done));
    const fence = await startCell(api, running);
    expect((await cancel(id)).status).toBe(202);
    await planAll(api);
    expect(await usageOf(api, tenant)).toEqual({ used: 2, counted: 2 });
    expect(await read(api, tenant, id)).toMatchObject({ status: 'running', counts: { canceled: 4 } });
    // Whoever was told that it is being canceled does not pay for it.
    await completeCell(api, running, fence);
    expect(await usageOf(api, tenant)).toEqual({ used: 1, counted: 1 });
    const campaign = await read(api, tenant, id);
    expect(campaign).toMatchObject({
      status: 'canceled',
      counts: { total: 6, done: 6, succeeded: 1, canceled: 5 },
    });
    expect(await countOf('batch_cancelled')).toBe(1);
    expect(await countOf('batch_completed')).toBe(0);
    expect((await eventOf('batch_cancelled'))[0]?.properties).toMatchObject({
      successCount: 1,
      failCount: 0,
      canceledCount: 5,
    });
  });

  test('before the planning ends it at once, and no export is made', async () => {
    const id = await request(api, tenant);
    expect((await cancel(id)).status).toBe(202);
    const campaign = await read(api, tenant, id);
    expect(campaign).toMatchObject({ status: 'canceled', counts: { canceled: 6 } });
    expect(new Set(campaign.cells.items.map((cell) => cell.status))).toEqual(new Set(['canceled']));
    await planAll(api);
    expect(await cellsIn(api, id, all)).toEqual([]);
    expect(await usageOf(api, tenant)).toEqual({ used: 0, counted: 0 });
    expect(await countOf('batch_cancelled')).toBe(1);
    expect((await cancel(id)).status).toBe(202);
  });

  test('of one that has ended is refused', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id);
    expect(await (await cancel(id)).json()).toMatchObject({ error: { code: 'batch_finished' } });
  });
});

describe('a file that was made before', () => {
  const rendered = async () => {
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id);
    return id;
  };

  test('is used again: the same events, and nothing to render', async () => {
    const first = await rendered();
    const before = await namesOf();
    const id = await request(api, tenant);
    await planAll(api);
    expect(await cellsIn(api, id)).toEqual([]);
    const campaign = await read(api, tenant, id);
    expect(campaign).toMatchObject({ status: 'completed', counts: { succeeded: 6, cached: 6 } });
    const after = (await eventsOf(api.db, tenant.organizationId)).slice(before.length);
    const isLater = (name: string) => name !== 'first_render_completed';
    expect(after.map((event) => event.event_name).toSorted()).toEqual(before.filter(isLater).toSorted());
    const renders = after.filter((event) => event.event_name === 'video_rendered');
    expect(renders.map((event) => event.properties.cached)).toEqual(times(6, () => true));
    expect((await eventOf('batch_completed')).at(-1)?.properties).toMatchObject({ cachedCount: 6 });
    const hashes = async (one: string) =>
      (await read(api, tenant, one)).cells.items.map((cell) => cell.file?.sha256);
    expect(await hashes(id)).toEqual(await hashes(first));
    expect(await usageOf(api, tenant)).toEqual({ used: 12, counted: 12 });
  });

  test('is used for all but the variant that changed', async () => {
    await rendered();
    const { variants, ...order } = aCampaign();
    const changed = (variants as { name: string; props: object }[]).map((variant, index) =>
      index === 1 ? { ...variant, props: { title: 'another' } } : variant,
    );
    const { id } = (await (await post(api, tenant, { ...order, variants: changed })).json()) as {
      id: string;
    };
    await planAll(api);
    expect((await cellsIn(api, id)).map((cell) => cell.variant)).toEqual([1, 1]);
  });

  test('is left alone where the campaign says so', async () => {
    await rendered();
    const id = await request(api, tenant, { reuse: false });
    await planAll(api);
    expect(await cellsIn(api, id)).toHaveLength(6);
  });

  test('is rendered again where storage has lost it, or holds another length', async () => {
    const first = await rendered();
    const [lost, short] = await api.db
      .selectFrom('artifact')
      .innerJoin('export', 'export.id', 'artifact.export_id')
      .select(['storage_key', 'variant', 'size'])
      .where('batch_id', '=', first)
      .execute();
    if (!lost || !short) throw new Error('no files');
    await api.storage.delete(lost.storage_key);
    await api.db
      .updateTable('artifact')
      .set({ size_in_bytes: 1 })
      .where('storage_key', '=', short.storage_key)
      .execute();
    const id = await request(api, tenant);
    await planAll(api);
    const again = (await cellsIn(api, id)).map((cell) => `${cell.variant}/${cell.size}`);
    expect(again.toSorted()).toEqual([lost, short].map((one) => `${one.variant}/${one.size}`).toSorted());
  });

  test('is never used by another organization', async () => {
    await rendered();
    const other = await createTenant(api);
    await createUser(api.db, other.organizationId, { tier: 'pro' });
    const id = await request(api, other);
    await planAll(api);
    expect(await cellsIn(api, id)).toHaveLength(6);
  });
});
