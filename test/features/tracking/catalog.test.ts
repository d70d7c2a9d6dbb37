import { beforeEach, describe, expect, test } from 'vitest';
import { maxDefinitions, maxVersions } from '../../../src/domain/events/event-definitions.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { createKey, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

const object = (properties: object = {}, more: object = {}) => ({ type: 'object', properties, ...more });
const coffee = object({ cups: { type: 'integer', minimum: 1 } }, { required: ['cups'] });

const put = (name: string, body: unknown, key = tenant.key) =>
  api.call(`/api/v1/catalog/events/${encodeURIComponent(name)}`, { method: 'PUT', key, body });

const define = async (name: string, body: unknown): Promise<Record<string, unknown>> => {
  const response = await put(name, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
};

const read = async (path: string, key = tenant.key) => (await api.call(path, { key })).json();

const sendOne = async (event: object): Promise<unknown> => {
  const response = await api.call('/api/v1/events', { key: tenant.key, body: event });
  return ((await response.json()) as { results: unknown[] }).results[0];
};

const log = () =>
  api.db
    .selectFrom('domain_event')
    .selectAll()
    .where('organization_id', '=', tenant.organizationId)
    .orderBy('position')
    .execute();

describe('an event of an organization', () => {
  test('is in the catalog beside ours once it is defined, for every kind of key', async () => {
    const definition = {
      description: 'Coffee',
      sources: ['server'],
      retention: 'business',
      properties: coffee,
    };
    const own = { name: 'coffee_made', schemaVersion: 1, createdAt: noon, ...definition };
    expect(await define('coffee_made', definition)).toEqual(own);
    for (const kind of ['secret', 'publishable', 'admin'] as const) {
      const { key } = await createKey(api.db, tenant.organizationId, kind);
      const catalog = (await read('/api/v1/catalog', key)) as { events: object[]; own: object[] };
      expect(catalog.own).toEqual([own]);
      expect(catalog.events).toContainEqual(expect.objectContaining({ name: 'login_success' }));
      expect(await read('/api/v1/catalog/events/coffee_made', key)).toEqual({
        own,
        versions: [{ schemaVersion: 1, properties: coffee, createdAt: noon }],
      });
    }
  });

  test('is one of everybody, for a business, where nothing is said', async () => {
    expect(await define('coffee_made', { properties: coffee })).toMatchObject({
      description: '',
      sources: ['web', 'server', 'worker'],
      retention: 'business',
    });
    expect(await define('tea_seen', { sources: ['web'], properties: object() })).toMatchObject({
      retention: 'behaviour',
    });
  });

  test('is held against its schema, its sources and its retention', async () => {
    await define('coffee_made', {
      sources: ['server', 'worker'],
      retention: 'behaviour',
      properties: coffee,
    });
    expect(await sendOne({ event: 'coffee_made', properties: { cups: 2, milk: true } })).toEqual({
      index: 0,
      id: expect.any(String),
      event: 'coffee_made',
      verdict: 'accepted',
    });
    expect(await sendOne({ event: 'coffee_made', properties: { cups: 0 } })).toMatchObject({
      code: 'event_misfits',
      message: 'coffee_made does not fit its schema: properties.cups must be >= 1.',
    });
    expect(await sendOne({ event: 'coffee_made', source: 'web', properties: { cups: 2 } })).toMatchObject({
      code: 'event_source_refused',
    });
    expect(await log()).toMatchObject([
      {
        is_known: true,
        schema_version: 1,
        retention_class: 'behaviour',
        properties: { cups: 2, milk: true },
      },
    ]);
  });

  test('is unknown to every other organization', async () => {
    const other = await createTenant(api);
    await define('coffee_made', { properties: coffee });
    expect(await read('/api/v1/catalog', other.key)).toMatchObject({ own: [] });
    const found = await api.call('/api/v1/catalog/events/coffee_made', { key: other.key });
    expect(await refusalOf(found)).toMatchObject({ status: 404, code: 'not_found' });
    const sent = await api.call('/api/v1/events', { key: other.key, body: { event: 'coffee_made' } });
    expect(await sent.json()).toMatchObject({ results: [{ marks: ['unknown_event'] }] });
    expect((await put('coffee_made', { properties: object() }, other.key)).status).toBe(200);
    expect(await read('/api/v1/catalog/events/coffee_made')).toMatchObject({ own: { properties: coffee } });
  });

  test('needs a secret key to be defined', async () => {
    for (const kind of ['publishable', 'admin'] as const) {
      const { key } = await createKey(api.db, tenant.organizationId, kind);
      const refused = await put('coffee_made', { properties: coffee }, key);
      expect(await refusalOf(refused)).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  test.each<[string, string, number, string]>([
    ['one of ours', 'login_success', 409, 'event_name_taken'],
    ['an alias of ours', 'user_login_succeeded', 409, 'event_name_taken'],
    ['one that only we tell', 'video_rendered', 409, 'event_name_taken'],
    ['upper case', 'Coffee', 400, 'invalid_request'],
    ['a space', 'coffee made', 400, 'invalid_request'],
    ['an underscore first', '__proto__', 400, 'invalid_request'],
    ['101 characters', 'a'.repeat(101), 400, 'invalid_request'],
    ['NUL', 'a\0', 400, 'invalid_request'],
  ])('cannot be called as %s is', async (_what, name, status, code) => {
    expect(await refusalOf(await put(name, { properties: object() }))).toMatchObject({ status, code });
  });

  test('may be called as what every object has', async () => {
    await define('constructor', { properties: coffee });
    expect(await sendOne({ event: 'constructor', properties: {} })).toMatchObject({ code: 'event_misfits' });
  });
});

describe('a schema', () => {
  test.each<[string, object, RegExp]>([
    ['is of no object', { type: 'string' }, /"type": "object"/],
    ['says no type', {}, /"type": "object"/],
    ['is too large', object({ a: { description: 'x'.repeat(33_000) } }), /32 KB/],
    ['is no schema', object({ a: { type: 'moon' } }), /cannot be used/],
    ['points elsewhere', object({ a: { $ref: 'https://example.com/schema.json' } }), /cannot be used/],
    ['points into a file', object({ a: { $ref: 'file:///etc/passwd' } }), /cannot be used/],
    ['has a broken pattern', object({ a: { type: 'string', pattern: '(' } }), /cannot be used/],
    [
      'is an abyss',
      object({ a: JSON.parse(`${'{"not":'.repeat(2_000)}{}${'}'.repeat(2_000)}`) }),
      /deeper than 100/,
    ],
  ])('that %s is refused', async (_what, properties, message) => {
    expect(await refusalOf(await put('coffee_made', { properties }))).toMatchObject({
      status: 400,
      code: 'event_schema_invalid',
      message: expect.stringMatching(message),
    });
  });

  test('that refers to a large part of itself again and again is compiled once, not once for each', async () => {
    const part = object(Object.fromEntries(times(400, (index) => [`property_${index}`, { type: 'string' }])));
    const places = times(500, (index) => [`place_${index}`, { $ref: '#/$defs/part' }]);
    const startedAt = performance.now();
    await define('coffee_made', {
      properties: object(Object.fromEntries(places), { $defs: { part } }),
    });
    // Copied into each place it took minutes.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(
      await sendOne({ event: 'coffee_made', properties: { place_499: { property_399: 7 } } }),
    ).toMatchObject({ code: 'event_misfits' });
  });

  test('that never ends judging refuses its events within the budget, and holds up no other', async () => {
    const evil = object({ a: { type: 'string', pattern: '^(a+)+$' } });
    await define('evil', { properties: evil });
    await define('coffee_made', { properties: coffee });
    const body = [
      ...times(100, () => ({ event: 'evil', properties: { a: `${'a'.repeat(40)}!` } })),
      { event: 'login_success', user_id: 'ann' },
    ];
    const startedAt = performance.now();
    const response = await api.call('/api/v1/events', { key: tenant.key, body });
    const answer = (await response.json()) as { results: { code?: string }[] };
    // One hundred at 250 ms, tried twice, would take fifty seconds.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(answer).toMatchObject({ accepted: 1, refused: 100 });
    expect(new Set(answer.results.map(({ code }) => code))).toEqual(
      new Set(['event_schema_too_slow', undefined]),
    );
    expect(await sendOne({ event: 'coffee_made', properties: { cups: 1 } })).toMatchObject({
      verdict: 'accepted',
    });
  });

  test('the same again makes no version, in whichever order its keys are, and changes what is not of it', async () => {
    await define('coffee_made', { properties: coffee });
    const { type, properties, required } = coffee as Record<string, unknown>;
    expect(
      await define('coffee_made', {
        description: 'Hot',
        sources: ['web'],
        properties: { required, properties, type },
      }),
    ).toMatchObject({ schemaVersion: 1, description: 'Hot', sources: ['web'], retention: 'behaviour' });
  });

  test('that adds is the next version; events are held against the one that they name, else the newest', async () => {
    const newer = object(
      { cups: { type: 'integer', minimum: 1 }, milk: { type: 'boolean' } },
      { required: ['cups'] },
    );
    await define('coffee_made', { properties: coffee });
    expect(await define('coffee_made', { properties: newer })).toMatchObject({ schemaVersion: 2 });
    const ofMilk = (version?: number) =>
      sendOne({
        event: 'coffee_made',
        properties: { cups: 1, milk: 'much' },
        ...(version === undefined ? {} : { schema_version: version }),
      });
    expect(await ofMilk(1)).toMatchObject({ verdict: 'accepted' });
    expect(await ofMilk(2)).toMatchObject({ code: 'event_misfits' });
    expect(await ofMilk()).toMatchObject({ code: 'event_misfits' });
    expect(await ofMilk(7)).toMatchObject({ code: 'event_misfits' });
    await sendOne({ event: 'coffee_made', properties: { cups: 1 } });
    expect((await log()).map((row) => row.schema_version)).toEqual([1, 2]);
    expect(await read('/api/v1/catalog/events/coffee_made')).toMatchObject({
      own: { schemaVersion: 2 },
      versions: [{ schemaVersion: 2 }, { schemaVersion: 1, properties: coffee }],
    });
  });

  test('that takes something away is refused, and the older one stays', async () => {
    await define('coffee_made', { properties: coffee });
    expect(
      await refusalOf(await put('coffee_made', { properties: object({ beans: { type: 'string' } }) })),
    ).toMatchObject({
      status: 409,
      code: 'event_schema_destructive',
      message: expect.stringMatching(/^Version 2 of "coffee_made" may only add .*cups/),
    });
    expect(await read('/api/v1/catalog/events/coffee_made')).toMatchObject({ own: { schemaVersion: 1 } });
  });

  test('that many change at once has one version per change', async () => {
    await define('coffee_made', { properties: object() });
    const changed = await Promise.all(
      times(10, () => define('coffee_made', { properties: object({ cups: { type: 'integer' } }) })),
    );
    expect(changed.map((one) => one.schemaVersion)).toEqual(times(10, () => 2));
  });
});

describe('an event that is deleted', () => {
  const remove = (name: string, key = tenant.key) =>
    api.call(`/api/v1/catalog/events/${name}`, { method: 'DELETE', key });
  const definition = { sources: ['server'], properties: coffee };

  test('is unknown from then on, what the log has of it stays, and its name may begin anew', async () => {
    await define('coffee_made', definition);
    await sendOne({ event: 'coffee_made', properties: { cups: 2 } });
    expect((await remove('coffee_made')).status).toBe(204);
    expect((await read('/api/v1/catalog')) as object).toMatchObject({ own: [] });
    expect(await sendOne({ event: 'coffee_made', properties: { cups: 'many' } })).toMatchObject({
      verdict: 'accepted',
    });
    const rows = await log();
    expect(rows.map((row) => [row.event_name, row.is_known, row.properties])).toEqual([
      ['coffee_made', true, { cups: 2 }],
      ['coffee_made', false, { cups: 'many' }],
    ]);
    expect(await read(`/api/v1/events/${rows[0]?.id}`)).toMatchObject({
      event: 'coffee_made',
      is_known: true,
    });
    // Narrower than the one before, which a next version could not be.
    const anew = await define('coffee_made', { ...definition, properties: object({ cups: { const: 1 } }) });
    expect(anew).toMatchObject({ schemaVersion: 1 });
  });

  test('is one of the organization’s own, once, with a secret key', async () => {
    await define('coffee_made', definition);
    const other = await createTenant(api);
    const publishable = await createKey(api.db, tenant.organizationId, 'publishable');
    expect(await refusalOf(await remove('coffee_made', other.key))).toMatchObject({ status: 404 });
    expect(await refusalOf(await remove('coffee_made', publishable.key))).toMatchObject({ status: 403 });
    expect(await refusalOf(await remove('login_success'))).toMatchObject({
      status: 400,
      message: expect.stringContaining('of the catalog'),
    });
    expect((await remove('coffee_made')).status).toBe(204);
    expect(await refusalOf(await remove('coffee_made'))).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('there are at most', () => {
  const row = (name: string, version: number) => ({
    organization_id: tenant.organizationId,
    name,
    schema_version: version,
    sources: ['web'],
    retention_class: 'behaviour' as const,
    properties: JSON.stringify(object()),
    created_at: new Date(noon),
  });

  test('500 events of an organization, which can still be changed', async () => {
    const rows = times(maxDefinitions - 1, (index) => row(`event_${index}`, 1));
    await api.db.insertInto('event_definition').values(rows).execute();
    const statuses = await Promise.all(
      times(3, async (index) => (await put(`last_${index}`, { properties: object() })).status),
    );
    expect(statuses.toSorted()).toEqual([200, 409, 409]);
    expect(await refusalOf(await put('one_more', { properties: object() }))).toMatchObject({
      code: 'event_definitions_full',
    });
    expect((await put('event_0', { properties: coffee })).status).not.toBe(500);
    expect(await define('event_1', { properties: object({ a: { type: 'string' } }) })).toMatchObject({
      schemaVersion: 2,
    });
  });

  test('100 versions of an event', async () => {
    const rows = times(maxVersions, (index) => row('coffee_made', index + 1));
    await api.db.insertInto('event_definition').values(rows).execute();
    const refused = await put('coffee_made', { properties: object({ a: { type: 'string' } }) });
    expect(await refusalOf(refused)).toMatchObject({ status: 409, code: 'event_definitions_full' });
  });
});

describe('one event of the catalog', () => {
  test('is found by its name and by an alias', async () => {
    for (const name of ['login_success', 'user_login_succeeded']) {
      expect(await read(`/api/v1/catalog/events/${name}`)).toMatchObject({
        event: { name: 'login_success' },
      });
    }
  });

  test.each(['nothing_like_it', '__proto__', 'toString', 'a\0b'])('is not found as %j', async (name) => {
    const found = await api.call(`/api/v1/catalog/events/${encodeURIComponent(name)}`, { key: tenant.key });
    expect(await refusalOf(found)).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('the setting for unknown events', () => {
  const settings = '/api/v1/settings/events';

  test('is to mark them, until it is changed with a secret or an admin key', async () => {
    expect(await read(settings)).toEqual({ unknownEvents: 'mark' });
    const { key } = await createKey(api.db, tenant.organizationId, 'admin');
    const changed = await api.call(settings, { method: 'PUT', key, body: { unknownEvents: 'refuse' } });
    expect(await changed.json()).toEqual({ unknownEvents: 'refuse' });
    expect(await read(settings, key)).toEqual({ unknownEvents: 'refuse' });
  });

  test('is nothing that a browser may see or change, and takes no third value', async () => {
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    expect(await refusalOf(await api.call(settings, { key }))).toMatchObject({ status: 403 });
    const drop = { method: 'PUT', body: { unknownEvents: 'drop' } };
    expect(await refusalOf(await api.call(settings, { key, ...drop }))).toMatchObject({ status: 403 });
    expect(await refusalOf(await api.call(settings, { key: tenant.key, ...drop }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
});
