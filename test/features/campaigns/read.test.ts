import { beforeEach, describe, expect, test } from 'vitest';
import { recordStillCheck } from '../../../src/domain/compositions/still-check.ts';
import type { PresentedCampaign, PresentedCell } from '../../../src/features/campaigns/present-campaign.ts';
import type { CampaignPage } from '../../../src/features/campaigns/read-campaign.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { acceptBatch } from '../../support/batches.ts';
import { compositionVersion, createUser } from '../../support/factories.ts';
import { planAll, read, renderAll, rendererVersion, request } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
  await createUser(api.db, tenant.organizationId);
});

const list = async (query = ''): Promise<CampaignPage> =>
  (await (await api.call(`/api/campaigns${query}`, { key: tenant.key })).json()) as CampaignPage;

const allCells = async (id: string, query: string): Promise<{ cells: PresentedCell[]; pages: number }> => {
  const cells: PresentedCell[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const page: PresentedCampaign['cells'] = (
      await read(api, tenant, id, `?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)
    ).cells;
    cells.push(...page.items);
    cursor = page.nextCursor;
    pages += 1;
  }
  return { cells, pages };
};

describe('the cells', () => {
  test('come a page at a time, each once, in whole variants', async () => {
    const id = await request(api, tenant, { variants: 7, sizes: 3 });
    await planAll(api);
    const { cells, pages } = await allCells(id, 'cells=6');
    expect(cells.map((cell) => `${cell.variant}/${cell.size}`)).toHaveLength(21);
    expect(new Set(cells.map((cell) => `${cell.variantIndex}/${cell.size}`)).size).toBe(21);
    expect(pages).toBe(4);
    expect((await read(api, tenant, id, '?cells=0')).cells).toEqual({ items: [], nextCursor: null });
    expect((await read(api, tenant, id, '?cells=1')).cells.items).toHaveLength(3);
  });

  test('that failed are found among many, and have their reason', async () => {
    const id = await request(api, tenant, { variants: 9, sizes: 2 });
    await planAll(api);
    await renderAll(api, id, (row) => row.size === 1 && (row.variant ?? 0) % 4 === 0);
    const { cells } = await allCells(id, 'cells=2&status=failed');
    expect(cells.map((cell) => cell.variantIndex)).toEqual([0, 4, 8]);
    expect(cells[0]).toMatchObject({
      status: 'failed',
      size: 'size 1',
      error: { code: 'composition_error', message: 'It threw.' },
      file: null,
    });
    const done = (await allCells(id, 'cells=4&status=completed')).cells;
    expect(done).toHaveLength(15);
    expect(done.every((cell) => cell.file !== null)).toBe(true);
  });

  test.each(['?cells=1001', '?cursor=abc', '?status=lost', '?cell=1'])('%s is refused', async (query) => {
    const id = await request(api, tenant);
    const response = await api.call(`/api/campaigns/${id}${query}`, { key: tenant.key });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

test('how the stills are rendered is told with its reason', async () => {
  const id = await request(api, tenant);
  const { organizationId } = tenant;
  const template = { organizationId, version: compositionVersion, compositionId: 'hero-ad', rendererVersion };
  expect((await read(api, tenant, id)).rendering?.how).toBe('not known yet');
  await recordStillCheck(api.db, template, true, api.clock.now());
  expect((await read(api, tenant, id)).rendering?.how).toBe('together');
  await recordStillCheck(api.db, template, false, api.clock.now());
  const { rendering } = await read(api, tenant, id);
  expect(rendering?.how).toBe('one by one');
  expect(rendering?.reason).toContain('state outside of its components');
});

test('on Lambda each still has a function, whatever is known of the composition', async () => {
  const { id } = await acceptBatch(api.db, await createUser(api.db, tenant.organizationId), {
    renderMode: 'lambda',
  });
  expect((await read(api, tenant, id)).rendering).toEqual({
    how: 'a function each',
    reason: expect.stringContaining('estimated after the first'),
  });
});

test('the list is newest first, in stable pages, with filters', async () => {
  await createUser(api.db, tenant.organizationId, { id: 'user-2' });
  const ids: string[] = [];
  for (const userId of ['user-1', 'user-2', 'user-1']) {
    api.clock.advance(1_000);
    ids.push(await request(api, tenant, { userId }));
  }
  const first = await list('?limit=2');
  expect(first.campaigns.map((one) => one.id)).toEqual([ids[2], ids[1]]);
  const rest = await list(`?limit=2&cursor=${first.nextCursor}`);
  expect(rest.campaigns.map((one) => one.id)).toEqual([ids[0]]);
  expect(rest.nextCursor).toBeNull();
  expect((await list('?userId=user-2')).campaigns.map((one) => one.id)).toEqual([ids[1]]);
  expect((await list('?status=accepted&jobType=campaign')).campaigns).toHaveLength(3);
  expect((await list('?jobType=csv_import')).campaigns).toEqual([]);
  expect((await list('?status=completed')).campaigns).toEqual([]);
});

test("another organization's campaign is as if it did not exist, by id and by name", async () => {
  const id = await request(api, tenant, { campaignId: 'spring' });
  const other = await createTenant(api);
  for (const name of [id, 'spring']) {
    for (const [method, path] of [
      ['GET', name],
      ['DELETE', name],
      ['POST', `${name}/retry`],
    ] as const) {
      const response = await api.call(`/api/campaigns/${path}`, { method, key: other.key });
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'not_found' });
    }
  }
});
