import { beforeEach, describe, expect, test } from 'vitest';
import { campaignRequestSchema } from '../../../src/core/campaign-request.ts';
import { recordStillCheck } from '../../../src/domain/compositions/still-check.ts';
import { grantCredits } from '../../../src/domain/credits/ledger.ts';
import type { CampaignAcceptance } from '../../../src/features/campaigns/acceptance.ts';
import type { CampaignPlan } from '../../../src/features/campaigns/plan-campaign.ts';
import { requestCampaign } from '../../../src/features/campaigns/request-campaign.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import {
  beatOnce,
  compositionVersion,
  countRows,
  createUser,
  registerCompositions,
  slots,
  times,
} from '../../support/factories.ts';
import { slowCard } from '../csv-import/csv-form.ts';
import { aCampaign, planAll, post, read, renderAll, rendererVersion, request, usageOf } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
  await api.db.deleteFrom('worker').execute();
});

const jsonOf = async <Answer = CampaignAcceptance>(response: Response | Promise<Response>): Promise<Answer> =>
  (await (await response).json()) as Answer;
const dryRun = async (given: Parameters<typeof aCampaign>[0] = {}) => {
  const response = await post(api, tenant, aCampaign(given), { query: '?dryRun=true' });
  expect(response.status).toBe(200);
  return jsonOf<CampaignPlan>(response);
};

describe('a campaign', () => {
  test('is accepted with all of its cells reserved, and says what remains', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    const response = await post(api, tenant, aCampaign({ campaignId: 'spring' }));
    expect(response.status).toBe(202);
    const answer = await jsonOf(response);
    expect(answer).toEqual({
      id: expect.any(String),
      campaignId: 'spring',
      status: 'accepted',
      run: 1,
      cells: 6,
      version: compositionVersion,
      limit: 50,
      remaining: 44,
      resetAt: '2026-03-11T00:00:00.000Z',
    });
    expect(response.headers.get('location')).toBe(`/api/campaigns/${answer.id}`);
    expect(await usageOf(api, tenant)).toEqual({ used: 6, counted: 6 });
    expect(await read(api, tenant, 'spring')).toMatchObject({ id: answer.id, status: 'accepted' });
  });

  test('of more cells than remain is refused whole', async () => {
    const response = await post(api, tenant, aCampaign());
    expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'daily_limit_reached' });
    expect(await usageOf(api, tenant)).toEqual({ used: 0, counted: 0 });
    expect(await countRows(api.db, 'batch', tenant.organizationId)).toBe(0);
  });
});

describe('all or none', () => {
  test('of 100 campaigns of 20 cells at once against 50 a day exactly two are accepted', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    const statuses = await Promise.all(
      times(100, async () => (await post(api, tenant, aCampaign({ variants: 10 }))).status),
    );
    expect(statuses.filter((status) => status === 202)).toHaveLength(2);
    expect(statuses.filter((status) => status === 403)).toHaveLength(98);
    expect(await usageOf(api, tenant)).toEqual({ used: 40, counted: 40 });
    expect(await countRows(api.db, 'batch', tenant.organizationId)).toBe(2);
  });

  test('credits of all cells are spent at once, and of none where they do not reach', async () => {
    const who = await createUser(api.db, tenant.organizationId, { tier: 'credits' });
    await api.db.transaction().execute((tx) => grantCredits(tx, who, { amount: 10, now: api.clock.now() }));
    expect((await post(api, tenant, aCampaign())).status).toBe(202);
    expect(await refusalOf(await post(api, tenant, aCampaign()))).toMatchObject({
      status: 403,
      code: 'insufficient_credits',
    });
    expect(await jsonOf(api.call('/api/users/user-1', { key: tenant.key }))).toMatchObject({ credits: 4 });
    expect(await usageOf(api, tenant)).toEqual({ used: 6, counted: 6 });
  });

  test.each([
    ['two variants of a name', { variants: [{ name: 'A' }, { name: 'a' }] }, 'variants.1.name'],
    [
      'two sizes of a name',
      {
        sizes: [
          { name: 'A', width: 1, height: 1 },
          { name: 'a', width: 1, height: 1 },
        ],
      },
      'sizes.1.name',
    ],
    ['a format of videos', { format: 'mp4' as const }, 'format'],
    ['no variant', { variants: [] }, 'variants'],
    ['a field that there is not', { colour: 'red' } as object, 'request'],
  ])('%s is refused and says where', async (_what, given, path) => {
    const refusal = await refusalOf(await post(api, tenant, aCampaign(given)));
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' });
    const reasons = (refusal.details as { reasons: { path: string }[] }).reasons;
    expect(reasons.map((reason) => reason.path)[0]).toMatch(new RegExp(`${path}|body`));
    expect(await countRows(api.db, 'batch', tenant.organizationId)).toBe(0);
  });

  test('the same name in two locales is no mistake', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
    const variants = ['en', 'de'].map((locale) => ({ name: 'a', locale, props: { title: locale } }));
    expect((await post(api, tenant, aCampaign({ variants }))).status).toBe(202);
  });

  test('props that do not fit are listed by variant, a hundred at most, and all counted', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
    const variants = times(150, (index) => ({
      name: `v${index}`,
      props: index === 3 ? { title: 'fits' } : { title: 5 },
    }));
    const refusal = await refusalOf(await post(api, tenant, aCampaign({ variants })));
    expect(refusal).toMatchObject({
      status: 400,
      code: 'invalid_props',
      details: { count: 149, variants: 149 },
    });
    const { reasons } = refusal.details as { reasons: unknown[] };
    expect(reasons).toHaveLength(100);
    expect(reasons[3]).toEqual({
      variant: 4,
      name: 'v4',
      path: 'variants.4.props.title',
      reason: 'must be string',
    });
    expect(await countRows(api.db, 'batch', tenant.organizationId)).toBe(0);
  });

  test('variants whose schema takes long for each, and minutes for all, are refused after a second of it', async () => {
    await registerCompositions(api.db, tenant.organizationId, {
      compositions: [slowCard],
      version: 'aabbccdd00112233',
    });
    const variants = times(1_000, (index) => ({
      name: `v${index}`,
      props: { productName: `${'a'.repeat(20)}!` },
    }));
    const slow = { variants, sizes: 1, compositionId: 'slow' };
    const outOfTime = {
      code: 'invalid_props',
      message: expect.stringMatching(/Only the first \d+ of 1000 variants were judged/),
    };
    expect(await refusalOf(await post(api, tenant, aCampaign(slow)))).toMatchObject({
      status: 400,
      ...outOfTime,
    });
    const plan = await dryRun(slow);
    expect([plan.wouldBeAccepted, plan.refusals[0]]).toEqual([false, expect.objectContaining(outOfTime)]);
    expect(await countRows(api.db, 'batch', tenant.organizationId)).toBe(0);
  });

  test('of a client that has left nothing is accepted, and its key stays free', async () => {
    const asked = requestCampaign(
      {
        ...api,
        renderModes: { default: 'local', available: ['local'], fallsBack: false },
        admission: {
          look: async () => undefined,
          refusalOf: () => null,
          assertRoom: () => undefined,
          assertAnyRoom: () => undefined,
          take: () => undefined,
          refused: () => 0,
        },
      },
      {
        organizationId: tenant.organizationId,
        request: campaignRequestSchema.parse(aCampaign()),
        idempotencyKey: 'k-1',
        correlationId: 'c',
        signal: AbortSignal.abort(),
      },
    );
    await expect(asked).rejects.toThrow(/abort/);
    for (const table of ['batch', 'idempotency_key'] as const)
      expect(await countRows(api.db, table, tenant.organizationId)).toBe(0);
  });

  test('a body of megabytes is taken, and one of broken JSON says so', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
    const variants = times(2_000, (index) => ({ name: `v${index}`, props: { text: 'x'.repeat(2_000) } }));
    const large = aCampaign({ compositionId: 'open', variants, sizes: 1 });
    expect((await post(api, tenant, large)).status).toBe(202);
    const endless = aCampaign({ variants: [{ name: 'a', props: { text: 'x'.repeat(20 * 1024 * 1024) } }] });
    expect(await refusalOf(await post(api, tenant, endless))).toMatchObject({
      status: 413,
      message: expect.stringMatching(/at most 20 MB \(20971520 bytes\) .* POST \/api\/imports\/csv\.$/),
    });
    const broken = await api.call('/api/campaigns', { key: tenant.key, text: '{"userId":' });
    expect(await refusalOf(broken)).toMatchObject({ status: 400, code: 'invalid_json' });
  });
});

describe('an idempotency key', () => {
  const headers = { 'idempotency-key': 'k-1' };

  test('gives the same answer and no second campaign, also to ten at once', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    const answers = await Promise.all(
      times(10, async () => jsonOf(post(api, tenant, aCampaign(), { headers }))),
    );
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1);
    const again = await post(api, tenant, aCampaign(), { headers });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await jsonOf(again)).toEqual(answers[0]);
    expect(await usageOf(api, tenant)).toEqual({ used: 6, counted: 6 });
  });

  test('that is known is answered before anything is judged, also where that would be refused today', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    const first = await jsonOf(post(api, tenant, aCampaign(), { headers }));
    const never = () => expect.unreachable('A replay needs no room.');
    const replay = requestCampaign(
      {
        ...api,
        renderModes: { default: 'local', available: ['local'], fallsBack: false },
        admission: {
          look: never,
          refusalOf: never,
          assertRoom: never,
          assertAnyRoom: never,
          take: never,
          refused: never,
        },
      },
      {
        organizationId: tenant.organizationId,
        request: campaignRequestSchema.parse(aCampaign()),
        idempotencyKey: 'k-1',
        correlationId: 'c',
        signal: new AbortController().signal,
      },
    );
    expect(await replay).toEqual({ answer: first, replayed: true });
  });

  test('of another request is a conflict', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    await post(api, tenant, aCampaign(), { headers });
    const other = await post(api, tenant, aCampaign({ variants: 2 }), { headers });
    expect(await refusalOf(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  });
});

describe('a dry run', () => {
  test('leaves no row in any table, not even the user', async () => {
    const tables = await api.db.introspection.getTables();
    const countAll = () =>
      Promise.all(
        tables.map(async ({ name }) => {
          const row = await api.db
            .selectFrom(name as 'export')
            .select((select) => select.fn.countAll<number>().as('count'))
            .executeTakeFirstOrThrow();
          return `${name} ${row.count}`;
        }),
      );
    const before = await countAll();
    await dryRun();
    await dryRun({ variants: 1, sizes: 1 });
    expect(await countAll()).toEqual(before);
    expect(before.length).toBeGreaterThan(20);
  });

  test('tells cells, sizes, limit and credits, now and after', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'pro' });
    expect(await dryRun({ scale: 2 })).toMatchObject({
      wouldBeAccepted: true,
      refusals: [],
      version: compositionVersion,
      cells: 6,
      variants: 3,
      sizes: [
        { name: 'size 0', width: 100, height: 100, device: null, pixels: { width: 200, height: 200 } },
        { name: 'size 1', width: 101, height: 100, device: null, pixels: { width: 202, height: 200 } },
      ],
      tier: 'pro',
      now: { limit: 50, remaining: 50 },
      after: { limit: 50, remaining: 44 },
      credits: { needed: 0, balance: 0 },
      reusable: null,
      estimateSeconds: null,
    });
  });

  test('tells everything that would be refused, and why', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'credits' });
    const variants = [
      { name: 'a', props: { title: 1 } },
      { name: 'b', props: { size: 2 } },
    ];
    const sizes = [
      { name: 'fits', width: 10, height: 10 },
      { name: 'huge', width: 8192, height: 8192 },
    ];
    const plan = await dryRun({ variants, sizes });
    expect(plan.wouldBeAccepted).toBe(false);
    expect(plan.refusals.map((refusal) => refusal.code)).toEqual([
      'invalid_props',
      'invalid_dimensions',
      'insufficient_credits',
    ]);
    expect(plan.refusals[0]?.details?.reasons).toHaveLength(2);
    expect(plan.refusals[1]?.message).toContain('"huge"');
    expect(plan).toMatchObject({ credits: { needed: 4, balance: 0 }, sizes: [{}, { pixels: null }] });
  });

  test('says what the limit lacks as the request would', async () => {
    const plan = await dryRun();
    const refusal = await refusalOf(await post(api, tenant, aCampaign()));
    expect(plan.refusals).toEqual([
      { code: refusal.code, message: refusal.message, details: refusal.details },
    ]);
    expect(plan.after.remaining).toBe(0);
  });

  test('knows which files are there already, and estimates the rest from what was measured', async () => {
    await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
    const { organizationId } = tenant;
    await beatOnce(api.db, slots(2));
    expect(await dryRun()).toMatchObject({ estimateBasis: 'default', renderSlots: 2, estimateSeconds: 1 });
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id);
    const template = {
      organizationId,
      version: compositionVersion,
      compositionId: 'hero-ad',
      rendererVersion,
    };
    await recordStillCheck(api.db, template, true, api.clock.now());
    expect(await dryRun()).toMatchObject({ reusable: 6, estimateBasis: 'measured', estimateSeconds: 0 });
    expect(await dryRun({ variants: 4 })).toMatchObject({ reusable: 6, cells: 8 });
    expect(await dryRun({ reuse: false })).toMatchObject({ reusable: 0, estimateSeconds: 1 });
  });

  test('of a composition that there is not is refused as a request is', async () => {
    const response = await post(api, tenant, aCampaign({ compositionId: 'none' }), { query: '?dryRun=true' });
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'composition_not_found' });
  });

  test('that is misspelt is not taken for the real thing', async () => {
    const response = await post(api, tenant, aCampaign(), { query: '?dryrun=true' });
    expect(await refusalOf(response)).toMatchObject({ status: 400 });
  });
});
