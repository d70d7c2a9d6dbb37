/** What an installation answers that has as much waiting as it is allowed to. */
import { request as httpRequest } from 'node:http';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aCampaign, planAll, post, renderAll, request, usageOf } from '../../features/campaigns/support.ts';
import { formOf } from '../../features/csv-import/csv-form.ts';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { countRows, createUser, times } from '../../support/factories.ts';

let api: TestApi;
let tenant: Tenant;
const lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  api = await startTestApi({ environment: { MAX_WAITING_RENDERS: '5' }, log });
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.db.updateTable('export').set({ status: 'canceled' }).execute();
  await api.db.updateTable('batch_run').set({ due: false }).execute();
  api.clock.advance(120_000);
  tenant = await createTenant(api);
  await createUser(api.db, tenant.organizationId);
});

const still = {
  userId: 'user-1',
  projectId: 'project-1',
  compositionId: 'hero-ad',
  kind: 'still',
  format: 'png',
};
const render = (headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, body: { ...still, props: { title: 'Sale' } }, headers });
const accepted = async (count: number) => {
  for (const response of await Promise.all(times(count, () => render()))) expect(response.status).toBe(202);
};
const upload = (rows: number, headers: Record<string, string> = {}, given: object = {}) => {
  const { userId, projectId, format } = still;
  const sizes = [{ name: 'a', width: 100, height: 100 }];
  const options = { userId, projectId, format, compositionId: 'hero-ad', sizes, ...given };
  const file = `title\n${times(rows, (n) => `Title ${n}\n`).join('')}`;
  return fetch(`${api.url}/api/imports/csv`, {
    method: 'POST',
    body: formOf(options, file),
    headers: { authorization: `Bearer ${tenant.key}`, ...headers },
  });
};
/** The headers, and the first byte of a body that never ends: what is answered all the same. */
const postWithoutEnd = (path: string, headers: Record<string, string>) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const sent = httpRequest(api.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tenant.key}`,
        'content-type': 'application/json',
        'content-length': '1000000',
        ...headers,
      },
    });
    sent.once('error', reject);
    sent.once('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      sent.destroy();
      resolve({ status: response.statusCode, text });
    });
    sent.write('{');
  });
/** Everything that an acceptance leaves. */
const traces = async () => ({
  ...(await usageOf(api, tenant)),
  exports: await countRows(api.db, 'export', tenant.organizationId),
  batches: await countRows(api.db, 'batch', tenant.organizationId),
  keys: await countRows(api.db, 'idempotency_key', tenant.organizationId),
});
const overloaded = { status: 503, code: 'service_overloaded' };
const tooLarge = { status: 400, code: 'invalid_request', details: { exports: 6, limit: 5 } };
const metric = async (name: string) => {
  const page = await (await api.call('/metrics')).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(page)?.[1]);
};

describe('a render', () => {
  test('beyond the bound is refused with 503 and told when to come back; nothing is reserved', async () => {
    await accepted(5);
    const before = await traces();
    const refusals = await metric('rendermill_admission_refused_total');
    const response = await render({ 'idempotency-key': 'a' });
    expect(response.headers.get('retry-after')).toBe('30');
    expect(await refusalOf(response)).toMatchObject({
      ...overloaded,
      details: { waiting: 5, limit: 5, retryAfterSeconds: 30 },
    });
    expect(await traces()).toEqual(before);
    expect(before).toMatchObject({ used: 5, exports: 5 });
    expect(await metric('rendermill_admission_refused_total')).toBe(refusals + 1);
  });

  test('that is refused is named in the log by who asked, once a minute', async () => {
    await accepted(5);
    await Promise.all(times(3, () => render()));
    const { organizationId } = tenant;
    const mine = () => lines.filter((line) => line.organizationId === organizationId);
    await expect.poll(mine).toHaveLength(1);
    expect(mine()).toMatchObject([
      {
        by: 'waiting_renders',
        keyId: expect.any(String),
        address: '127.0.0.1',
        limit: 5,
        route: '/api/render',
      },
    ]);
    expect(lines.filter((line) => 'err' in line)).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain(tenant.key);
  });

  test('is accepted again once some have ended, and the time to come back is that of the line', async () => {
    await accepted(5);
    api.clock.advance(1_000);
    expect(await refusalOf(await render())).toMatchObject(overloaded);
    const ended = await api.db
      .selectFrom('export')
      .select('id')
      .where('status', '=', 'queued')
      .limit(2)
      .execute();
    await api.db
      .updateTable('export')
      .set({ status: 'canceled' })
      .where(
        'id',
        'in',
        ended.map((row) => row.id),
      )
      .execute();
    api.clock.advance(20_000);
    await accepted(2);
    const response = await render();
    // Two have left in 21 seconds: so one will in half of that.
    expect(response.headers.get('retry-after')).toBe('11');
    expect(await refusalOf(response)).toMatchObject(overloaded);
  });

  test('that was accepted before gets its answer again', async () => {
    const first = await render({ 'idempotency-key': 'once' });
    await accepted(4);
    expect(await refusalOf(await render())).toMatchObject(overloaded);
    const again = await render({ 'idempotency-key': 'once' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(await again.json()).toEqual(await first.json());
  });

  test('of a hundred at once, exactly those are let in that fit', async () => {
    const statuses = (await Promise.all(times(100, () => render()))).map((response) => response.status);
    const count = (status: number) => statuses.filter((one) => one === status).length;
    expect({ accepted: count(202), refused: count(503) }).toEqual({ accepted: 5, refused: 95 });
    expect(await traces()).toMatchObject({ used: 5, exports: 5 });
  });

  test('that is refused for another reason takes no room', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'free' });
    const statuses = await Promise.all(times(20, async () => (await render()).status));
    expect(statuses.filter((status) => status === 202)).toHaveLength(3);
    await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
    await accepted(2);
  });
});

describe('a campaign', () => {
  test('counts with all of its cells, and is refused as a whole where not all of them fit', async () => {
    await accepted(2);
    const before = await traces();
    const response = await post(api, tenant, aCampaign({ variants: 2, sizes: 2 }));
    expect(Number(response.headers.get('retry-after'))).toBe(30);
    expect(await refusalOf(response)).toMatchObject({ ...overloaded, details: { waiting: 2, limit: 5 } });
    expect(await traces()).toEqual(before);
    await request(api, tenant, { variants: 3, sizes: 1 });
    expect(await refusalOf(await render())).toMatchObject({ ...overloaded, details: { waiting: 5 } });
  });

  test('that was accepted before gets its answer again', async () => {
    const headers = { 'idempotency-key': 'spring' };
    const body = aCampaign({ variants: 5, sizes: 1 });
    const first = await post(api, tenant, body, { headers });
    const again = await post(api, tenant, body, { headers });
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([
      202,
      202,
      'true',
    ]);
    expect(await refusalOf(await post(api, tenant, body))).toMatchObject(overloaded);
  });

  test('is refused before its body has arrived where nothing has room; a known key and a dry run are listened to', async () => {
    const headers = { 'idempotency-key': 'spring' };
    const body = aCampaign({ variants: 5, sizes: 1 });
    expect((await post(api, tenant, body, { headers })).status).toBe(202);
    for (const more of [{}, { 'idempotency-key': 'autumn' }]) {
      const { status, text } = await postWithoutEnd('/api/campaigns', more);
      expect([status, JSON.parse(text).error]).toEqual([
        503,
        expect.objectContaining({
          code: 'service_overloaded',
          message: expect.stringMatching(
            /^5 renders are waiting, more were asked for, .*Nothing was reserved/,
          ),
        }),
      ]);
    }
    const [conflict, plan] = await Promise.all([
      post(api, tenant, aCampaign({ variants: 4 }), { headers }),
      post(api, tenant, body, { query: '?dryRun=true' }),
    ]);
    expect([conflict.status, plan.status]).toEqual([409, 200]);
  });

  test('is told by a dry run that it would be refused, which is no refusal', async () => {
    const refusals = await metric('rendermill_admission_refused_total');
    await accepted(5);
    const response = await post(api, tenant, aCampaign({ variants: 1, sizes: 1 }), { query: '?dryRun=true' });
    expect(await response.json()).toMatchObject({
      wouldBeAccepted: false,
      refusals: [{ code: 'service_overloaded' }],
    });
    expect(await metric('rendermill_admission_refused_total')).toBe(refusals);
  });

  test('of more cells than may ever wait is refused with 400 and told the bound, whatever waits', async () => {
    const large = aCampaign({ variants: 3, sizes: 2 });
    for (const headers of [{}, { 'idempotency-key': 'large' }] as Record<string, string>[]) {
      const response = await post(api, tenant, large, { headers });
      expect(response.headers.has('retry-after')).toBe(false);
      expect(await refusalOf(response)).toMatchObject(tooLarge);
    }
    const { refusals } = (await (await post(api, tenant, large, { query: '?dryRun=true' })).json()) as {
      refusals: { code: string }[];
    };
    expect(refusals.map(({ code }) => code)).toEqual(['invalid_request']);
    expect(await traces()).toMatchObject({ batches: 0, keys: 0 });
  });

  test('is not run again where what failed has no room', async () => {
    const id = await request(api, tenant, { variants: 3, sizes: 1 });
    await planAll(api);
    await renderAll(api, id, () => true);
    api.clock.advance(1_000);
    await accepted(3);
    const before = await traces();
    const retry = () => api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key });
    expect(await refusalOf(await retry())).toMatchObject(overloaded);
    expect(await traces()).toEqual(before);
    await api.db.updateTable('export').set({ status: 'canceled' }).where('batch_id', 'is', null).execute();
    api.clock.advance(1_000);
    expect((await retry()).status).toBe(202);
  });
});

describe('an import', () => {
  test('that does not fit is refused as a whole and leaves nothing', async () => {
    await accepted(2);
    const before = await traces();
    const response = await upload(4);
    expect(response.headers.get('retry-after')).toBe('30');
    expect(await refusalOf(response)).toMatchObject(overloaded);
    expect(await traces()).toEqual(before);
    expect((await upload(3)).status).toBe(202);
    expect(await refusalOf(await upload(1))).toMatchObject(overloaded);
  });

  test('that was accepted before gets its answer again', async () => {
    const headers = { 'idempotency-key': 'products' };
    const first = await upload(5, headers);
    const again = await upload(5, headers);
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([
      202,
      202,
      'true',
    ]);
    expect(await refusalOf(await upload(5, { 'idempotency-key': 'others' }))).toMatchObject(overloaded);
  });

  test('of more rows than may ever wait is refused with 400 and told the bound', async () => {
    const before = await traces();
    expect(await refusalOf(await upload(6))).toMatchObject(tooLarge);
    expect(await traces()).toEqual(before);
    const plan = await (await upload(6, {}, { dryRun: true })).json();
    expect(plan).toMatchObject({ allowed: false, refusal: { code: 'invalid_request' } });
  });

  test('is told by a dry run that it would be refused', async () => {
    await accepted(5);
    const response = await upload(1, {}, { dryRun: true });
    expect(await response.json()).toMatchObject({ allowed: false, refusal: { code: 'service_overloaded' } });
  });
});
