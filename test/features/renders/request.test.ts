import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import {
  countRows,
  createKey,
  createOrganization,
  createUser,
  eventsOf,
  hours,
  readExport,
  times,
} from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

const still = { userId: 'ann', projectId: 'spring', compositionId: 'hero-ad', kind: 'still', format: 'png' };
const video = { ...still, compositionId: 'open', kind: 'video', format: 'mp4' };
const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, body, headers });

const nothingWasWritten = async () => {
  expect(await countRows(api.db, 'export', tenant.organizationId)).toBe(0);
  expect(await countRows(api.db, 'end_user', tenant.organizationId)).toBe(0);
};

describe('an accepted render', () => {
  test('is answered with 202, what was accepted, what remains, and where it is', async () => {
    const response = await post({ ...still, props: { title: 'Sale' } });
    expect(response.status).toBe(202);
    const answer = (await response.json()) as { id: string };
    expect(answer).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'queued',
      version: '00112233aabbccdd',
      limit: 3,
      remaining: 2,
      resetAt: '2026-03-11T00:00:00.000Z',
    });
    expect(response.headers.get('location')).toBe(`/api/render/${answer.id}`);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.has('idempotent-replayed')).toBe(false);
  });

  test('is kept as it was asked for, and recorded with the id of the request', async () => {
    const body = {
      ...still,
      format: 'jpeg',
      width: 540,
      scale: 2,
      quality: 80,
      frame: -1,
      props: { title: 'Sale' },
    };
    const response = await post(body);
    const { id } = (await response.json()) as { id: string };
    expect(await readExport(api.db, id)).toMatchObject({
      user_id: 'ann',
      project_id: 'spring',
      width: 1080,
      height: 2160,
      tier: 'free',
      charged_day: '2026-03-10',
      correlation_id: response.headers.get('x-request-id'),
      request: { props: { title: 'Sale' }, width: 540, scale: 2, quality: 80, frame: -1 },
    });
    const [event] = await eventsOf(api.db, tenant.organizationId);
    expect(event).toMatchObject({
      event_name: 'job_created',
      properties: { job_id: id, tier: 'free', resolution: '1080x2160' },
    });
  });

  test('of an unlimited user has no limit to tell of', async () => {
    await createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'unlimited' });
    expect(await (await post(still)).json()).toMatchObject({ limit: null, remaining: null });
  });

  test('may name the version', async () => {
    expect((await post({ ...still, version: '00112233aabbccdd' })).status).toBe(202);
    expect(await refusalOf(await post({ ...still, version: 'ffffffffffffffff' }))).toMatchObject({
      status: 404,
      code: 'composition_not_found',
    });
  });
});

describe('who asks', () => {
  test.each([
    ['no key', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['a key that was never given', { authorization: `Bearer rm_sk_${'a'.repeat(43)}` }],
  ])('with %s gets 401, whatever the body, and is told how', async (_name, headers) => {
    for (const text of [JSON.stringify(still), '{"nothing":1}', '{broken']) {
      const response = await api.call('/api/render', { text, headers });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
  });

  test.each(['publishable', 'admin'] as const)('with a %s key gets 403', async (kind) => {
    const { key } = await createKey(api.db, tenant.organizationId, kind);
    const refusal = await refusalOf(await api.call('/api/render', { key, text: '{broken' }));
    expect(refusal).toMatchObject({ status: 403, code: 'forbidden' });
    expect(refusal.message).toContain(kind);
    await nothingWasWritten();
  });
});

describe('a request that cannot be', () => {
  test.each([
    ['0 × 0', { ...still, width: 0, height: 0 }, 400, 'invalid_request', /width: .*; height: /],
    ['20,000 × 20,000', { ...still, width: 20_000, height: 20_000 }, 400, 'invalid_request', /width.*height/],
    [
      '8192 × 8192 with legal sides',
      { ...still, width: 8192, height: 8192 },
      400,
      'invalid_dimensions',
      /8192 × 8192/,
    ],
    ['a side that scale makes too long', { ...still, scale: 8 }, 400, 'invalid_dimensions', /8640 × 8640/],
    ['an unknown property', { ...still, colour: 'red' }, 400, 'invalid_request', /colour/],
    ['a missing one', { ...still, userId: undefined }, 400, 'invalid_request', /userId/],
    [
      'a video as png',
      { ...video, format: 'png' },
      400,
      'invalid_request',
      /format: a video is one of mp4, webm, gif, not png/,
    ],
    [
      'a frame that does not exist',
      { ...still, frame: 300 },
      400,
      'frame_out_of_range',
      /300 frames, 0 to 299/,
    ],
    ['a list', [still], 400, 'invalid_request', /body|object/i],
    ['null', null, 400, 'invalid_request', /body|object/i],
    [
      'an unknown composition',
      { ...still, compositionId: 'nope' },
      404,
      'composition_not_found',
      /Registered: hero-ad, long, open/,
    ],
    [
      'a video longer than the tier',
      { ...video, compositionId: 'long' },
      403,
      'duration_exceeds_tier',
      /45 s; tier free allows 30 s/,
    ],
    [
      'a part longer than the tier',
      { ...video, compositionId: 'long', frameRange: [0, 900] },
      403,
      'duration_exceeds_tier',
      /30\.03.* s; .*30 s/,
    ],
  ])('%s', async (_name, body, status, code, message) => {
    expect(await refusalOf(await post(body))).toMatchObject({
      status,
      code,
      message: expect.stringMatching(message),
    });
    await nothingWasWritten();
  });

  test('by its props says path and reason of each', async () => {
    const refusal = await refusalOf(await post({ ...still, props: { title: 5, colour: 'green', x: 1 } }));
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_props' });
    expect(refusal.details).toMatchObject({
      compositionId: 'hero-ad',
      reasons: expect.arrayContaining([
        { path: 'props.title', reason: 'must be string' },
        { path: 'props.colour', reason: 'must be equal to one of the allowed values: red, blue' },
        { path: 'props.x', reason: 'is not a property of this composition' },
      ]),
    });
    await nothingWasWritten();
  });

  test('by its length names both lengths for a program', async () => {
    const refusal = await refusalOf(await post({ ...video, compositionId: 'long' }));
    expect(refusal.details).toEqual({ durationSeconds: 45, maxDurationSeconds: 30, tier: 'free' });
  });

  test('a part that the tier allows is accepted', async () => {
    expect((await post({ ...video, compositionId: 'long', frameRange: [0, 899] })).status).toBe(202);
  });
});

describe('the daily limit', () => {
  test('is refused with code, limit, what remains and when it begins anew', async () => {
    for (const remaining of [2, 1, 0]) expect(await (await post(still)).json()).toMatchObject({ remaining });
    const refusal = await refusalOf(await post(still));
    expect(refusal).toMatchObject({
      status: 403,
      code: 'daily_limit_reached',
      details: { limit: 3, remaining: 0, resetAt: '2026-03-11T00:00:00.000Z', tier: 'free' },
    });
    expect(refusal.message).toContain('Tier free allows 3 exports a day');
  });

  test("is the user's: another one of the same organization has a limit of their own", async () => {
    await Promise.all(times(3, () => post(still)));
    expect((await post({ ...still, userId: 'bob' })).status).toBe(202);
  });

  test('holds against 30 requests at once over HTTP', async () => {
    const statuses = await Promise.all(times(30, async () => (await post(still)).status));
    expect(statuses.filter((status) => status === 202)).toHaveLength(3);
    expect(statuses.filter((status) => status === 403)).toHaveLength(27);
  });

  test('is whole again on the next day', async () => {
    await Promise.all(times(3, () => post(still)));
    const before = api.clock.now();
    api.clock.advance(hours(12));
    const response = await post(still);
    api.clock.set(before);
    expect(response.status).toBe(202);
  });

  test('of credits: without any 403, and each acceptance takes one', async () => {
    await createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'credits' });
    expect(await refusalOf(await post(still))).toMatchObject({
      status: 403,
      code: 'insufficient_credits',
      details: { creditsPerExport: 1 },
    });
    await api.call('/api/users/ann/credits', { key: tenant.key, body: { amount: 1 } });
    expect((await post(still)).status).toBe(202);
    expect(await refusalOf(await post(still))).toMatchObject({ code: 'insufficient_credits' });
  });
});

describe('an Idempotency-Key', () => {
  const withKey = (body: unknown, key = 'order-1') => post(body, { 'idempotency-key': key });

  test('gives the first answer again, and says so', async () => {
    const first = await withKey(still);
    const second = await withKey({
      format: 'png',
      kind: 'still',
      compositionId: 'hero-ad',
      projectId: 'spring',
      userId: 'ann',
    });
    expect(await second.json()).toEqual(await first.json());
    expect([first.status, second.status]).toEqual([202, 202]);
    expect([first, second].map((one) => one.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(await countRows(api.db, 'export', tenant.organizationId)).toBe(1);
  });

  test('of ten requests at once makes one render', async () => {
    const answers = await Promise.all(
      times(10, async () => (await (await withKey(still)).json()) as { id: string }),
    );
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1);
    expect(await countRows(api.db, 'export', tenant.organizationId)).toBe(1);
  });

  test('with another body is 409', async () => {
    await withKey(still);
    expect(await refusalOf(await withKey({ ...still, format: 'webp' }))).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    });
  });

  test('of a refusal is not used up', async () => {
    expect((await withKey({ ...still, compositionId: 'nope' })).status).toBe(404);
    expect((await withKey(still)).status).toBe(202);
  });

  test('of another organization is another key', async () => {
    await withKey(still);
    const other = await createTenant(api);
    const response = await api.call('/api/render', {
      key: other.key,
      body: still,
      headers: { 'idempotency-key': 'order-1' },
    });
    expect(response.headers.has('idempotent-replayed')).toBe(false);
  });

  test.each(['', 'x'.repeat(256)])('that is empty or too long is refused (%#)', async (key) => {
    expect(await refusalOf(await withKey(still, key))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
});

test('an organization without compositions is told what to do', async () => {
  const organizationId = await createOrganization(api.db);
  const { key } = await createKey(api.db, organizationId);
  expect(await refusalOf(await api.call('/api/render', { key, body: still }))).toMatchObject({
    status: 404,
    code: 'composition_not_found',
    message: expect.stringContaining('rendermill bundle'),
  });
});
