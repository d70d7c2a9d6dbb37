/** Where a render runs: as its request says, else as the installation is set; and only where that is set up. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { RenderMode } from '../../../src/core/exports.ts';
import { decideRenderMode } from '../../../src/domain/accounts/organizations.ts';
import { aCampaign, cellsIn, planAll, post, renderAll } from '../../features/campaigns/support.ts';
import { formOf } from '../../features/csv-import/csv-form.ts';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { acceptAndStart, beatOnce, complete, countRows, createUser, times } from '../../support/factories.ts';

const lambda = { LAMBDA_FUNCTION: 'remotion-render', LAMBDA_BUCKET: 'remotionlambda-x' };
/** Renders locally only; can do both; does both and takes Lambda by default. */
let localOnly: TestApi;
let both: TestApi;
let lambdaFirst: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  localOnly = await startTestApi();
  const { databaseUrl } = localOnly;
  both = await startTestApi({ databaseUrl, environment: lambda });
  lambdaFirst = await startTestApi({ databaseUrl, environment: { ...lambda, RENDER_MODE: 'lambda' } });
});
afterAll(async () => {
  await Promise.all([both.close(), lambdaFirst.close()]);
  await localOnly.close();
});
beforeEach(async () => {
  tenant = await createTenant(localOnly);
  await createUser(localOnly.db, tenant.organizationId);
  await decide('lambda', true);
});

const decide = (mode: RenderMode, allowed: boolean) =>
  localOnly.db.transaction().execute((tx) => decideRenderMode(tx, tenant.organizationId, mode, allowed));
/** As every organization is at first. */
const decideNothing = () =>
  localOnly.db
    .updateTable('organization')
    .set({ render_modes: '{}' })
    .where('id', '=', tenant.organizationId)
    .execute();
const nothingIsLeft = async () => {
  expect(await countRows(localOnly.db, 'usage_day', tenant.organizationId)).toBe(0);
  expect(await countRows(localOnly.db, 'batch', tenant.organizationId)).toBe(0);
  expect(await countRows(localOnly.db, 'export', tenant.organizationId)).toBe(0);
};

const order = {
  userId: 'user-1',
  projectId: 'project-1',
  compositionId: 'hero-ad',
  kind: 'still',
  format: 'png',
};
type Asked = { renderMode?: string; reuse?: boolean };

const render = (api: TestApi, asked: Asked = {}, headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, body: { ...order, ...asked, props: { title: 'a' } }, headers });
const campaign = (api: TestApi, asked: Asked = {}) =>
  post(api, tenant, { ...aCampaign({ variants: 1, sizes: 1 }), ...asked });
const upload = (
  api: TestApi,
  asked: Asked & { dryRun?: boolean } = {},
  headers: Record<string, string> = {},
) =>
  fetch(`${api.url}/api/imports/csv`, {
    method: 'POST',
    body: formOf({ ...order, sizes: [{ name: 'a', width: 100, height: 100 }], ...asked }, 'title\nLamp\n'),
    headers: { authorization: `Bearer ${tenant.key}`, ...headers },
  });
const retry = (api: TestApi, id: string) =>
  api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key });
const routes = [
  ['a render', render, '/api/render'],
  ['a campaign', campaign, '/api/campaigns'],
  ['an import', upload, '/api/campaigns'],
] as const;

const idOf = async (response: Response): Promise<string> => {
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
};
const modeOf = async (path: string, id: string): Promise<RenderMode> => {
  const response = await localOnly.call(`${path}/${id}`, { key: tenant.key });
  return ((await response.json()) as { renderMode: RenderMode }).renderMode;
};

describe.each(routes)('%s', (_name, ask, path) => {
  test('that says nothing runs where the installation is set to', async () => {
    expect(await modeOf(path, await idOf(await ask(localOnly)))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(both)))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(lambdaFirst)))).toBe('lambda');
  });

  test('runs where it says', async () => {
    expect(await modeOf(path, await idOf(await ask(both, { renderMode: 'lambda' })))).toBe('lambda');
    expect(await modeOf(path, await idOf(await ask(lambdaFirst, { renderMode: 'local' })))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(localOnly, { renderMode: 'local' })))).toBe('local');
  });

  test('for Lambda is refused where that is not set up, and told what to set; nothing is left', async () => {
    expect(await refusalOf(await ask(localOnly, { renderMode: 'lambda' }))).toMatchObject({
      status: 400,
      code: 'render_mode_unavailable',
      message: expect.stringContaining('LAMBDA_FUNCTION'),
      details: { renderMode: 'lambda', available: ['local'] },
    });
    await nothingIsLeft();
  });

  test('for Lambda is refused where that was not granted, or was taken away, and told who grants it; nothing is left', async () => {
    const refusal = {
      status: 403,
      code: 'render_mode_forbidden',
      message: expect.stringContaining(`organizations allow ${tenant.organizationId} --render-mode lambda`),
      details: { renderMode: 'lambda', allowed: ['local'] },
    };
    await decideNothing();
    expect(await refusalOf(await ask(both, { renderMode: 'lambda' }))).toMatchObject(refusal);
    await decide('lambda', false);
    expect(await refusalOf(await ask(lambdaFirst, { renderMode: 'lambda' }))).toMatchObject(refusal);
    await nothingIsLeft();
  });

  test('that says nothing needs no grant, and leaves a default that was taken away', async () => {
    await decideNothing();
    expect(await modeOf(path, await idOf(await ask(lambdaFirst)))).toBe('lambda');
    expect(await modeOf(path, await idOf(await ask(lambdaFirst, { renderMode: 'local' })))).toBe('local');
    await decide('lambda', false);
    expect(await modeOf(path, await idOf(await ask(lambdaFirst)))).toBe('local');
  });

  test('for a mode that nobody knows is not valid', async () => {
    expect(await refusalOf(await ask(both, { renderMode: 'gpu' }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(/renderMode/),
    });
  });
});

describe('what was accepted keeps its mode', () => {
  test.each([
    ['a render', render],
    ['an import', upload],
  ] as const)('%s that is repeated, also where Lambda was taken away since', async (_name, ask) => {
    const headers = { 'idempotency-key': 'once' };
    const first = await ask(both, { renderMode: 'lambda' }, headers);
    const again = await ask(localOnly, { renderMode: 'lambda' }, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await idOf(again)).toBe(await idOf(first));
  });

  test('the mode is a part of what an idempotency key stands for', async () => {
    const headers = { 'idempotency-key': 'once' };
    await render(both, { renderMode: 'lambda' }, headers);
    expect(await refusalOf(await render(both, { renderMode: 'local' }, headers))).toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  test('a render that is repeated, also where its organization may not render there any more', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await idOf(await render(both, { renderMode: 'lambda' }, headers));
    await decide('lambda', false);
    expect(await idOf(await render(both, { renderMode: 'lambda' }, headers))).toBe(first);
  });

  test('the cells of a campaign have it, and those of its next run', async () => {
    const id = await idOf(await campaign(both, { renderMode: 'lambda' }));
    await planAll(both);
    await renderAll(both, id, () => true);
    expect(await idOf(await retry(both, id))).toBe(id);
    await planAll(both);
    const cells = await cellsIn(both, id, ['queued', 'failed']);
    expect(cells.map((cell) => [cell.run, cell.render_mode])).toEqual([
      [1, 'lambda'],
      [2, 'lambda'],
    ]);
    await localOnly.call(`/api/campaigns/${id}`, { method: 'DELETE', key: tenant.key });
    expect(await modeOf('/api/campaigns', id)).toBe('lambda');
  });
});

describe('what failed of a campaign', () => {
  const failedOnLambda = async (): Promise<string> => {
    const id = await idOf(await campaign(both, { renderMode: 'lambda' }));
    await planAll(both);
    await renderAll(both, id, () => true);
    return id;
  };

  test('is not rendered again on Lambda once that was taken away from its organization', async () => {
    const id = await failedOnLambda();
    await decide('lambda', false);
    expect(await refusalOf(await retry(both, id))).toMatchObject({
      status: 403,
      code: 'render_mode_forbidden',
    });
    await decide('lambda', true);
    expect(await idOf(await retry(both, id))).toBe(id);
  });

  test('is not accepted for a Lambda that is gone, unless the workers take its renders', async () => {
    const id = await failedOnLambda();
    expect(await refusalOf(await retry(localOnly, id))).toMatchObject({
      status: 400,
      code: 'render_mode_unavailable',
    });
    const environment = { RENDER_FALLBACK: 'local' };
    const fallsBack = await startTestApi({ databaseUrl: localOnly.databaseUrl, environment });
    onTestFinished(() => fallsBack.close());
    expect(await idOf(await retry(fallsBack, id))).toBe(id);
  });
});

describe('a dry run', () => {
  const plan = async (api: TestApi, asked: Asked = {}) =>
    (await post(api, tenant, { ...aCampaign(), ...asked }, { query: '?dryRun=true' })).json();

  test('of a campaign tells the mode, and how many renders of that mode the workers can run', async () => {
    const { db } = localOnly;
    await db.deleteFrom('worker').execute();
    await beatOnce(db, {
      concurrency: 2,
      lambdaConcurrency: 50,
      renderModes: ['local', 'lambda'],
      paused: null,
    });
    expect(await plan(both)).toMatchObject({ renderMode: 'local', renderSlots: 2, wouldBeAccepted: true });
    expect(await plan(both, { renderMode: 'lambda' })).toMatchObject({
      renderMode: 'lambda',
      renderSlots: 50,
    });
    expect(await plan(lambdaFirst)).toMatchObject({ renderMode: 'lambda', renderSlots: 50 });
    const small = await startTestApi({
      databaseUrl: localOnly.databaseUrl,
      environment: { ...lambda, LAMBDA_SLOTS: '10' },
    });
    onTestFinished(() => small.close());
    // Half of so few are kept for those who wait in front of a screen.
    expect(await plan(small, { renderMode: 'lambda' })).toMatchObject({ renderSlots: 5 });
  });

  test('of a campaign on Lambda guesses nothing, and knows time and price once cells were rendered there', async () => {
    const { db, organizationId } = { ...both, ...tenant };
    await db.deleteFrom('worker').execute();
    const state = { concurrency: 2, lambdaConcurrency: 2, renderModes: ['local', 'lambda'] as const };
    await beatOnce(db, { ...state, paused: null });
    const unknown = { estimateSeconds: null, estimateBasis: null, estimateCost: null };
    const asked = { renderMode: 'lambda', reuse: false };
    const who = await createUser(db, organizationId);
    const renderSome = async (renderMode: RenderMode, count: number, cost: number | null) => {
      for (const _ of times(count, (index) => index)) {
        const { fence } = await acceptAndStart(db, who, {
          renderMode,
          planned: { width: 1000, height: 1000, durationSeconds: null },
        });
        await complete(db, fence, { width: 1000, height: 1000, renderTimeMs: 2_000_000, cost });
      }
    };
    await renderSome('local', 5, null);
    expect(await plan(both, asked)).toMatchObject({ ...unknown, renderSlots: 2 });
    await renderSome('lambda', 4, 100);
    expect(await plan(both, asked)).toMatchObject(unknown);
    await renderSome('lambda', 1, 100);
    // Six cells of about a hundredth of a megapixel, two at a time: 2,000 seconds and 100 dollars a megapixel.
    expect(await plan(both, asked)).toMatchObject({
      estimateBasis: 'measured',
      estimateSeconds: 61,
      estimateCost: expect.closeTo(6.03),
    });
    expect(await plan(both, { reuse: false })).toMatchObject({
      estimateBasis: 'measured',
      estimateCost: null,
    });
  });

  test('of a campaign on Lambda that was not granted says so', async () => {
    await decideNothing();
    expect(await plan(both, { renderMode: 'lambda' })).toMatchObject({
      wouldBeAccepted: false,
      refusals: [{ code: 'render_mode_forbidden' }],
    });
    const response = await upload(both, { renderMode: 'lambda', dryRun: true });
    expect(await response.json()).toMatchObject({
      allowed: false,
      refusal: { code: 'render_mode_forbidden' },
    });
  });

  test('of a campaign says what the request would say', async () => {
    const refusal = await refusalOf(await campaign(localOnly, { renderMode: 'lambda' }));
    expect(await plan(localOnly, { renderMode: 'lambda' })).toMatchObject({
      wouldBeAccepted: false,
      refusals: [{ code: refusal.code, message: refusal.message, details: refusal.details }],
    });
  });

  test('of an import says what the request would say', async () => {
    const response = await upload(localOnly, { renderMode: 'lambda', dryRun: true });
    expect(await response.json()).toMatchObject({
      dryRun: true,
      allowed: false,
      refusal: { code: 'render_mode_unavailable' },
    });
  });
});

test('the documentation shows the mode in all three requests', async () => {
  const response = await localOnly.call('/openapi.json');
  const { paths } = (await response.json()) as { paths: Record<string, { post: { requestBody: unknown } }> };
  for (const path of ['/api/render', '/api/campaigns', '/api/imports/csv']) {
    expect(JSON.stringify(paths[path]?.post.requestBody)).toMatch(
      /"renderMode":\{[^}]*"enum":\["local","lambda"\]/,
    );
  }
});
