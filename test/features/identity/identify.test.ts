import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { createKey, hours, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let publishable: string;
beforeEach(async () => {
  api.clock.set(noon);
  tenant = await createTenant(api);
  publishable = (await createKey(api.db, tenant.organizationId, 'publishable')).key;
});

const identify = (body: unknown, key = tenant.key) => api.call('/api/v1/identify', { key, body });
const linkOf = async (distinctId: string, organizationId = tenant.organizationId) =>
  (
    await api.db
      .selectFrom('identity_link')
      .select('user_id')
      .where('organization_id', '=', organizationId)
      .where('distinct_id', '=', distinctId)
      .execute()
  ).map((row) => row.user_id);
const linkedEvents = () =>
  api.db
    .selectFrom('domain_event')
    .selectAll()
    .where('organization_id', '=', tenant.organizationId)
    .where('event_name', '=', 'identity_linked')
    .execute();

describe('identify with a secret key', () => {
  test('links the visitor once, tells of it once, and says when it was linked already', async () => {
    const first = await identify({ distinct_id: 'v', user_id: 'u' });
    expect([first.status, await first.json()]).toEqual([200, { linked: true, user_id: 'u', already: false }]);
    const again = await identify({ distinct_id: 'v', user_id: 'u' });
    expect([again.status, await again.json()]).toEqual([200, { linked: true, user_id: 'u', already: true }]);
    expect(await linkedEvents()).toMatchObject([
      { user_id: 'u', distinct_id: 'v', properties: { distinct_id: 'v', method: 'identify' } },
    ]);
  });

  test('links several visitors to one user', async () => {
    await identify({ distinct_id: 'phone', user_id: 'u' });
    expect(await (await identify({ distinct_id: 'laptop', user_id: 'u' })).json()).toMatchObject({
      already: false,
    });
  });

  test('refuses a visitor that belongs to another user, and does not say to whom', async () => {
    await identify({ distinct_id: 'v', user_id: 'ann@example.com' });
    const refusal = await refusalOf(await identify({ distinct_id: 'v', user_id: 'bob' }));
    expect(refusal).toMatchObject({ status: 409, code: 'visitor_taken' });
    expect(JSON.stringify(refusal)).not.toContain('ann');
    expect(await linkOf('v')).toEqual(['ann@example.com']);
  });

  test('links to exactly one of fifty users who come at once', async () => {
    const answers = await Promise.all(
      times(50, (index) => identify({ distinct_id: 'v', user_id: `u${index}` })),
    );
    const winners = answers.flatMap((answer, index) => (answer.status === 200 ? [`u${index}`] : []));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, ...times(49, () => 409)]);
    expect(await linkOf('v')).toEqual(winners);
    expect(await linkedEvents()).toMatchObject([{ user_id: winners[0] }]);
  });

  test('links once where the same is said fifty times at once', async () => {
    const answers = await Promise.all(times(50, () => identify({ distinct_id: 'v', user_id: 'u' })));
    const said = (await Promise.all(answers.map((answer) => answer.json()))) as { already: boolean }[];
    expect(said.filter((one) => !one.already)).toHaveLength(1);
    expect(await linkedEvents()).toHaveLength(1);
  });

  test('of one organization does not touch the same visitor of another', async () => {
    const other = await createTenant(api);
    await identify({ distinct_id: 'v', user_id: 'ann' });
    expect((await identify({ distinct_id: 'v', user_id: 'bob' }, other.key)).status).toBe(200);
    expect(await linkOf('v')).toEqual(['ann']);
    expect(await linkOf('v', other.organizationId)).toEqual(['bob']);
  });

  test.each([
    [{ distinct_id: 'v' }],
    [{ user_id: 'u' }],
    [{ distinct_id: 'v', user_id: 'u', token: 'x' }],
    [{ distinct_id: '', user_id: 'u' }],
    [{ distinct_id: 'v'.repeat(201), user_id: 'u' }],
    [{ distinct_id: 'a\0b', user_id: 'u' }],
    [{ distinct_id: '\ud800', user_id: 'u' }],
    [{ distinct_id: 'v', user_id: 7 }],
    [{ distinct_id: 'v', user_id: 'u', admin: true }],
  ])('refuses %j', async (body) => {
    expect(await refusalOf(await identify(body))).toMatchObject({ status: 400 });
  });

  test('needs a key', async () => {
    const response = await api.call('/api/v1/identify', { body: { distinct_id: 'v', user_id: 'u' } });
    expect(await refusalOf(response)).toMatchObject({ status: 401 });
  });
});

const tokenFor = async (body: object, key = tenant.key): Promise<string> => {
  const response = await api.call('/api/v1/identity-tokens', { key, body });
  expect(response.status).toBe(200);
  return ((await response.json()) as { token: string }).token;
};
const identityKeyOf = async (key = tenant.key): Promise<Uint8Array> => {
  const response = await api.call('/api/v1/identity-key', { key });
  return Buffer.from(((await response.json()) as { key: string }).key, 'base64url');
};
const seconds = (time = api.clock.now()): number => Math.floor(time.getTime() / 1000);
const claims = (given: object = {}) => ({
  sub: 'u',
  aud: 'rendermill:identify',
  exp: seconds() + 600,
  ...given,
});
const sign = (payload: Record<string, unknown>, key: Uint8Array): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(key);
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('identify with a publishable key', () => {
  test('takes a token that the service made for the backend', async () => {
    const token = await tokenFor({ user_id: 'u', distinct_id: 'v' });
    const response = await identify({ distinct_id: 'v', token }, publishable);
    expect(await response.json()).toEqual({ linked: true, user_id: 'u', already: false });
  });

  test('takes a token that the backend has signed itself', async () => {
    const token = await sign(claims({ org: tenant.organizationId }), await identityKeyOf());
    expect((await identify({ distinct_id: 'v', token }, publishable)).status).toBe(200);
    expect(await linkOf('v')).toEqual(['u']);
  });

  test('does not believe a user id', async () => {
    for (const body of [
      { distinct_id: 'v', user_id: 'u' },
      { distinct_id: 'v' },
      { distinct_id: 'v', user_id: 'u', token: 'x' },
    ]) {
      expect(await refusalOf(await identify(body, publishable))).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    }
    expect(await linkOf('v')).toEqual([]);
  });

  test('takes a token until it expires', async () => {
    const token = await tokenFor({ user_id: 'u', expires_in_seconds: 60 });
    api.clock.advance(59_000);
    expect((await identify({ distinct_id: 'v', token }, publishable)).status).toBe(200);
    api.clock.advance(2_000);
    const refusal = await refusalOf(await identify({ distinct_id: 'w', token }, publishable));
    expect(refusal).toMatchObject({ status: 403, code: 'identity_token_invalid' });
    expect(refusal.message).toContain('expired');
  });

  test("does not take another organization's token", async () => {
    const other = await createTenant(api);
    const token = await tokenFor({ user_id: 'u' }, other.key);
    expect(await refusalOf(await identify({ distinct_id: 'v', token }, publishable))).toMatchObject({
      code: 'identity_token_invalid',
    });
    expect(await identityKeyOf()).not.toEqual(await identityKeyOf(other.key));
  });

  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const unsigned = (alg: string) => `${encode({ alg, typ: 'JWT' })}.${encode(claims())}`;
  const attacks: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['without a signature', () => `${unsigned('none')}.`],
    ['with the algorithm None', () => `${unsigned('None')}.`],
    [
      'signed with a key pair',
      () => new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
    ],
    [
      'signed with a public key as if that were a secret',
      () => {
        const pem = publicKey.export({ type: 'spki', format: 'pem' });
        const text = unsigned('HS256');
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      },
    ],
    [
      'signed with HS512',
      async () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS512' }).sign(Buffer.alloc(64, 1)),
    ],
    [
      'with an empty key',
      () => {
        const text = unsigned('HS256');
        return `${text}.${createHmac('sha256', '').update(text).digest('base64url')}`;
      },
    ],
    ['for another audience', async () => sign(claims({ aud: 'something-else' }), await identityKeyOf())],
    ['without an audience', async () => sign(claims({ aud: undefined }), await identityKeyOf())],
    ['without an end', async () => sign(claims({ exp: undefined }), await identityKeyOf())],
    [
      'that is valid for a year',
      async () => sign(claims({ exp: seconds() + 365 * 86_400 }), await identityKeyOf()),
    ],
    ['that is not valid yet', async () => sign(claims({ nbf: seconds() + 300 }), await identityKeyOf())],
    ['that names another organization', async () => sign(claims({ org: 'other' }), await identityKeyOf())],
    ['that names another visitor', async () => sign(claims({ distinct_id: 'w' }), await identityKeyOf())],
    ['that names a visitor oddly', async () => sign(claims({ distinct_id: ['v'] }), await identityKeyOf())],
    ['without a user', async () => sign(claims({ sub: undefined }), await identityKeyOf())],
    ['with an empty user', async () => sign(claims({ sub: '' }), await identityKeyOf())],
    ['with a user that cannot be stored', async () => sign(claims({ sub: 'a\0b' }), await identityKeyOf())],
    [
      'that is changed',
      async () => {
        const [head = '', , signature = ''] = (await tokenFor({ user_id: 'u' })).split('.');
        return `${head}.${encode(claims({ sub: 'admin' }))}.${signature}`;
      },
    ],
    ['that is no token', () => 'a.b.c'],
    ['that is text', () => '{}'],
  ];

  test.each(attacks)('refuses a token %s', async (_name, make) => {
    const refusal = await refusalOf(await identify({ distinct_id: 'v', token: await make() }, publishable));
    expect(refusal).toMatchObject({ status: 403, code: 'identity_token_invalid' });
    expect(await linkOf('v')).toEqual([]);
  });
});

describe('identity tokens and their key', () => {
  test('last an hour unless a shorter or longer time is asked for, a day at most', async () => {
    const response = await api.call('/api/v1/identity-tokens', { key: tenant.key, body: { user_id: 'u' } });
    expect(await response.json()).toMatchObject({
      expires_at: new Date(Date.parse(noon) + hours(1)).toISOString(),
    });
    const tooLong = { user_id: 'u', expires_in_seconds: 86_401 };
    const refused = await api.call('/api/v1/identity-tokens', { key: tenant.key, body: tooLong });
    expect(await refusalOf(refused)).toMatchObject({ status: 400 });
  });

  test('are for secret keys', async () => {
    const body = { user_id: 'u' };
    expect(
      await refusalOf(await api.call('/api/v1/identity-tokens', { key: publishable, body })),
    ).toMatchObject({
      status: 403,
    });
    expect(await refusalOf(await api.call('/api/v1/identity-key', { key: publishable }))).toMatchObject({
      status: 403,
    });
  });

  test('is 256 bits, no cache keeps it, and it is not what signs links', async () => {
    const response = await api.call('/api/v1/identity-key', { key: tenant.key });
    const { key } = (await response.json()) as { key: string };
    const { link_secret } = await api.db
      .selectFrom('organization')
      .select('link_secret')
      .where('id', '=', tenant.organizationId)
      .executeTakeFirstOrThrow();
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(Buffer.from(key, 'base64url')).not.toEqual(link_secret);
  });
});
