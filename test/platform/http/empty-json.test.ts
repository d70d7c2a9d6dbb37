import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';

let api: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await createTenant(api);
});
afterAll(() => api.close());

const headers = { 'content-type': 'application/json' };
const id = '0193f2ab-1111-7222-8333-444455556666';
const call = (method: string, path: string, text?: string) =>
  api.call(path, { method, key: tenant.key, headers, ...(text === undefined ? {} : { text }) });

test.each([
  ['DELETE', `/api/render/${id}`],
  ['DELETE', `/api/campaigns/${id}`],
  ['DELETE', `/api/v1/webhooks/${id}`],
  ['POST', `/api/campaigns/${id}/retry`],
  ['POST', `/api/v1/erasures/${id}/retry`],
  ['POST', `/api/v1/webhooks/${id}/test`],
])('%s %s takes a request that says it is JSON and has no body', async (method, path) => {
  for (const text of [undefined, '']) {
    expect(await refusalOf(await call(method, path, text))).toMatchObject({ status: 404, code: 'not_found' });
  }
});

test('an empty body where one is needed is still refused, and so is one that is no JSON where none is', async () => {
  expect(await refusalOf(await call('POST', '/api/render', ''))).toMatchObject({
    status: 400,
    code: 'invalid_json',
  });
  for (const path of ['/api/render', `/api/campaigns/${id}/retry`]) {
    expect(await refusalOf(await call('POST', path, '{'))).toMatchObject({
      status: 400,
      code: 'invalid_json',
    });
  }
});
