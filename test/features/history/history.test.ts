import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, storeExport, type Tenant } from '../../support/api.ts';
import { accept, createKey, createUser, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

interface Page {
  readonly exports: readonly {
    readonly id: string;
    readonly userId: string;
    readonly file: { readonly fileId: string } | null;
  }[];
  readonly nextCursor: string | null;
}

const list = async (query: Record<string, string> = {}, key = tenant.key): Promise<Page> => {
  const response = await api.call(`/api/exports?${new URLSearchParams(query)}`, { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
};
const plus = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);

describe('the history', () => {
  test('of a new organization is empty', async () => {
    expect(await list()).toEqual({ exports: [], nextCursor: null });
  });

  test('is paged, newest first, and stable while new exports come in', async () => {
    const who = await createUser(api.db, tenant.organizationId);
    const rows = [];
    for (const index of times(5, (at) => at)) rows.push(await accept(api.db, who, {}, plus(index)));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list({ limit: '2', ...(cursor === '' ? {} : { cursor }) });
      seen.push(...page.exports.map((one) => one.id));
      cursor = page.nextCursor;
      await accept(api.db, who, {}, plus(10_000));
    }
    expect(seen).toEqual(rows.map((row) => row.id).toReversed());
  });

  test('shows the file of what is completed', async () => {
    const stored = await storeExport(api, await createUser(api.db, tenant.organizationId));
    expect((await list()).exports).toMatchObject([{ id: stored.row.id, file: { fileId: stored.fileId } }]);
  });

  test('is filtered by everything that it names', async () => {
    const ann = await createUser(api.db, tenant.organizationId, { id: 'ann' });
    const bob = await createUser(api.db, tenant.organizationId, { id: 'bob' });
    await storeExport(api, ann);
    await accept(
      api.db,
      bob,
      { projectId: 'p2', kind: 'video', format: 'mp4', compositionId: 'open' },
      plus(1000),
    );
    const users = async (query: Record<string, string>) =>
      (await list(query)).exports.map((one) => one.userId);
    expect(await users({})).toEqual(['bob', 'ann']);
    expect(await users({ userId: 'ann' })).toEqual(['ann']);
    expect(await users({ projectId: 'p2' })).toEqual(['bob']);
    expect(await users({ compositionId: 'hero-ad' })).toEqual(['ann']);
    expect(await users({ status: 'completed' })).toEqual(['ann']);
    expect(await users({ kind: 'video', format: 'mp4' })).toEqual(['bob']);
    expect(await users({ from: plus(1000).toISOString() })).toEqual(['bob']);
    expect(await users({ until: '2026-03-10T13:00:01+01:00' })).toEqual(['ann']);
  });

  test("is the organization's own, and so is its cursor", async () => {
    const who = await createUser(api.db, tenant.organizationId);
    for (const index of times(3, (at) => at)) await accept(api.db, who, {}, plus(index));
    const { nextCursor } = await list({ limit: '1' });
    const other = await createTenant(api);
    expect(await list({}, other.key)).toEqual({ exports: [], nextCursor: null });
    expect((await list({ cursor: nextCursor ?? '' }, other.key)).exports).toEqual([]);
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=many',
    'status=done',
    'kind=audio',
    'format=tiff',
    'from=yesterday',
    'until=2026-03-10',
    'cursor=nonsense',
    `cursor=${'a'.repeat(201)}`,
    'userId=a%00b',
    `userId=${'u'.repeat(129)}`,
  ])('refuses ?%s', async (query) => {
    expect(await refusalOf(await api.call(`/api/exports?${query}`, { key: tenant.key }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test('is for secret keys', async () => {
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    expect(await refusalOf(await api.call('/api/exports?limit=0'))).toMatchObject({ status: 401 });
    expect(await refusalOf(await api.call('/api/exports?limit=0', { key }))).toMatchObject({ status: 403 });
  });
});
