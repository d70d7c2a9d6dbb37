import { beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { EventVerdict } from '../../../src/domain/events/ingest.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { countRows, createKey, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

interface Verdicts {
  accepted: number;
  duplicates: number;
  refused: number;
  results: EventVerdict[];
}

const send = async (body: unknown, key = tenant.key): Promise<Verdicts> => {
  const response = await api.call('/api/v1/events', { key, body });
  expect(response.status).toBe(200);
  return (await response.json()) as Verdicts;
};

const sendOne = async (event: unknown): Promise<EventVerdict> => {
  const { results } = await send(event);
  expect(results).toHaveLength(1);
  return results[0] as EventVerdict;
};

const log = (organizationId = tenant.organizationId) =>
  api.db
    .selectFrom('domain_event')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('position')
    .execute();

const purchase = (given: object = {}) => ({
  event: 'purchase_completed',
  user_id: 'ann',
  properties: { order_id: 'o-1', price: 29, currency: 'USD' },
  ...given,
});

describe('an event of a backend', () => {
  test('is in the log as it was sent, once it is accepted', async () => {
    const id = newId();
    expect(
      await sendOne({
        ...purchase({ id, distinct_id: 'anon_1', session_id: 's-1', correlation_id: 'c-1' }),
        timestamp: '2026-03-09T10:00:00.123+01:00',
        entity_type: 'invoice',
        entity_id: 'i-7',
        utm_source: 'facebook',
        context: { ip_country: 'DE' },
      }),
    ).toEqual({ index: 0, id, event: 'purchase_completed', verdict: 'accepted' });
    expect(await log()).toMatchObject([
      {
        id,
        event_name: 'purchase_completed',
        occurred_at: new Date('2026-03-09T09:00:00.123Z'),
        user_id: 'ann',
        distinct_id: 'anon_1',
        session_id: 's-1',
        correlation_id: 'c-1',
        entity_type: 'invoice',
        entity_id: 'i-7',
        source: 'server',
        environment: 'development',
        schema_version: 1,
        retention_class: 'business',
        is_known: true,
        properties: { order_id: 'o-1', price: 29, currency: 'USD' },
        context: { utm_source: 'facebook', ip_country: 'DE' },
      },
    ]);
  });

  test('has an id, our time, and the entity that its properties name, where it does not say', async () => {
    const { id } = await sendOne(purchase());
    const [row] = await log();
    expect(row).toMatchObject({
      id,
      occurred_at: new Date(noon),
      entity_type: 'order',
      entity_id: 'o-1',
    });
  });

  test('comes alone, in a list, or under "events"', async () => {
    expect((await send(purchase())).accepted).toBe(1);
    expect((await send([purchase(), purchase()])).accepted).toBe(2);
    expect((await send({ events: [purchase(), purchase(), purchase()] })).accepted).toBe(3);
  });

  test('has its canonical name in the log, whichever it came under', async () => {
    expect(await sendOne({ event: 'user_login_succeeded', user_id: 'ann' })).toMatchObject({
      event: 'login_success',
      verdict: 'accepted',
      marks: ['alias'],
    });
    expect((await log())[0]?.event_name).toBe('login_success');
  });

  test('of a clock that is ahead gets our time, and says what it claimed', async () => {
    expect(await sendOne(purchase({ timestamp: '2026-03-10T13:00:00Z' }))).toMatchObject({
      verdict: 'accepted',
      marks: ['clock_adjusted'],
    });
    expect((await log())[0]).toMatchObject({
      occurred_at: new Date(noon),
      context: { client_timestamp: '2026-03-10T13:00:00.000Z' },
    });
  });

  test('of years ago is kept with its time', async () => {
    expect(await sendOne(purchase({ timestamp: '2019-05-01T00:00:00Z' }))).toMatchObject({
      verdict: 'accepted',
    });
    expect((await log())[0]?.occurred_at).toEqual(new Date('2019-05-01T00:00:00Z'));
  });

  test('of an older or a newer version than ours keeps the one that it names', async () => {
    await send([purchase({ schema_version: 1 }), purchase({ schema_version: 9 })]);
    expect((await log()).map((row) => row.schema_version)).toEqual([1, 9]);
  });

  test('is told what was left out of it', async () => {
    expect(await sendOne(purchase({ userId: 'bob', colour: 'red' }))).toMatchObject({
      verdict: 'accepted',
      marks: ['ignored_fields'],
      message: expect.stringContaining('userId, colour'),
    });
  });

  test('belongs to the organization of the key, whatever it says', async () => {
    const other = await createTenant(api);
    await send(purchase({ organization_id: other.organizationId, environment: 'elsewhere' }));
    expect(await log()).toMatchObject([
      { organization_id: tenant.organizationId, environment: 'development' },
    ]);
    expect(await log(other.organizationId)).toEqual([]);
  });

  test('that nobody knows is kept and marked', async () => {
    const { results } = await send([
      { event: 'Project Created', source: 'web', properties: { a: 1 } },
      { event: 'constructor' },
    ]);
    expect(results).toMatchObject([
      { event: 'Project Created', verdict: 'accepted', marks: ['unknown_event'] },
      { event: 'constructor', verdict: 'accepted', marks: ['unknown_event'] },
    ]);
    expect(await log()).toMatchObject([
      { event_name: 'Project Created', is_known: false, retention_class: 'behaviour' },
      { event_name: 'constructor', is_known: false, retention_class: 'business' },
    ]);
  });
});

describe('an event that is refused', () => {
  test.each<[string, object, string, RegExp]>([
    ['is only ours to tell', { event: 'video_rendered' }, 'event_owned_by_service', /Rendermill itself/],
    [
      'may not come from there',
      { event: 'purchase_completed', source: 'web' },
      'event_source_refused',
      /purchase_completed may come from server, not from web/,
    ],
    [
      'does not fit its schema',
      { event: 'purchase_completed', properties: { price: 'a lot' } },
      'event_misfits',
      /price/,
    ],
    ['cannot be read', { event: 'purchase_completed', user_id: 7 }, 'event_malformed', /^user_id: /],
    ['is older than 2000', { event: 'login_success', timestamp: 12 }, 'event_malformed', /2000/],
    ['is too large', { event: 'a', properties: { a: 'x'.repeat(65_536) } }, 'event_too_large', /64 KB/],
    ['would act within PostHog', { event: '$create_alias' }, 'event_unknown', /PostHog/],
  ])('since it %s takes no other with it', async (_what, event, code, message) => {
    const id = newId();
    const answer = await send([purchase(), { id, ...event }, purchase()]);
    expect(answer).toMatchObject({ accepted: 2, duplicates: 0, refused: 1 });
    expect(answer.results[1]).toMatchObject({
      index: 1,
      id,
      event: (event as { event: string }).event,
      verdict: 'refused',
      code,
      message: expect.stringMatching(message),
    });
    expect(await log()).toHaveLength(2);
  });

  test.each([
    ['text', '"page_viewed"'],
    ['nothing', 'null'],
    ['a key that poisons', '{"event":"a","properties":{"__proto__":{"isAdmin":true}}}'],
    ['a NUL', '{"event":"a","properties":{"a":"\\u0000"}}'],
    ['half of a surrogate pair', '{"event":"a\\ud800"}'],
    ['a number without end', '{"event":"a","properties":{"a":1e999}}'],
    ['an abyss', `{"event":"a","properties":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`],
  ])('since it is %s takes no other with it', async (_what, hostile) => {
    const response = await api.call('/api/v1/events', {
      key: tenant.key,
      text: `[${hostile},${JSON.stringify(purchase())}]`,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      accepted: 1,
      refused: 1,
      results: [{ verdict: 'refused', code: 'event_malformed' }, { verdict: 'accepted' }],
    });
  });

  test('does not use its id up', async () => {
    const id = newId();
    expect(await send([purchase({ id, user_id: 7 }), purchase({ id }), purchase({ id })])).toMatchObject({
      results: [{ verdict: 'refused' }, { verdict: 'accepted' }, { verdict: 'duplicate' }],
    });
  });

  test('since nobody knows it is so by the setting of the organization, and of no other', async () => {
    const other = await createTenant(api);
    const set = await api.call('/api/v1/settings/events', {
      method: 'PUT',
      key: tenant.key,
      body: { unknownEvents: 'refuse' },
    });
    expect(await set.json()).toEqual({ unknownEvents: 'refuse' });
    expect(await sendOne({ event: 'coffee_made' })).toMatchObject({
      verdict: 'refused',
      code: 'event_unknown',
      message: expect.stringContaining('PUT /api/v1/catalog/events/coffee_made'),
    });
    expect(await send({ event: 'coffee_made' }, other.key)).toMatchObject({ accepted: 1 });
  });
});

describe('the id of an event', () => {
  test('is known again, within a request and after it, in whichever case it comes', async () => {
    const id = newId();
    const answer = await send([purchase({ id }), purchase({ id: id.toUpperCase(), user_id: 'bob' })]);
    expect(answer).toMatchObject({ accepted: 1, duplicates: 1 });
    expect(answer.results.map((one) => one.id)).toEqual([id, id]);
    expect(await send(purchase({ id }))).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await log()).toMatchObject([{ user_id: 'ann' }]);
  });

  test('of another organization is another event', async () => {
    const other = await createTenant(api);
    const id = newId();
    await send(purchase({ id }));
    expect(await send(purchase({ id }), other.key)).toMatchObject({ accepted: 1 });
  });

  test('is written once by eight requests at the same time, however they are ordered', async () => {
    const events = times(200, (index) => purchase({ id: newId(), properties: { order_id: `o-${index}` } }));
    const answers = await Promise.all(
      times(8, (turn) => send(turn % 2 === 0 ? events : events.toReversed())),
    );
    const accepted = answers.flatMap(({ results }) =>
      results.flatMap((one) => (one.verdict === 'accepted' ? [one.id] : [])),
    );
    expect(accepted.toSorted()).toEqual(events.map((event) => (event as { id?: string }).id).toSorted());
    expect(answers.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(7 * 200);
    expect(await countRows(api.db, 'domain_event', tenant.organizationId)).toBe(200);
  });
});

describe('a request', () => {
  test('may hold a thousand events of 9 KB each, which are written in their order', async () => {
    const filler = 'x'.repeat(9_000);
    const events = times(1_000, (index) => purchase({ properties: { order_id: `o-${index}`, filler } }));
    expect(await send({ events })).toMatchObject({ accepted: 1_000, refused: 0 });
    expect((await log()).map((row) => row.entity_id)).toEqual(times(1_000, (index) => `o-${index}`));
  });

  test.each([
    ['1,001 events', times(1_001, () => ({ event: 'a' })), /1 to 1000 events; this one holds 1001/],
    ['none', [], /1 to 1000/],
    ['none under "events"', { events: [] }, /1 to 1000/],
    ['no list', { events: 'page_viewed' }, /"events" must be an array/],
    ['text', 'page_viewed', /The body must be an event/],
  ])('of %s is refused as a whole', async (_what, body, message) => {
    expect(await refusalOf(await api.call('/api/v1/events', { key: tenant.key, body }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['nothing', ''],
    ['half of JSON', '{"event":'],
    ['NaN', '{"event":NaN}'],
  ])('of %s is refused as a whole', async (_what, text) => {
    expect(await refusalOf(await api.call('/api/v1/events', { key: tenant.key, text }))).toMatchObject({
      status: 400,
      code: 'invalid_json',
    });
  });

  test('of more than 10 MB is refused', async () => {
    const text = JSON.stringify({ event: 'a', properties: { a: 'x'.repeat(10 * 1024 * 1024) } });
    expect(await refusalOf(await api.call('/api/v1/events', { key: tenant.key, text }))).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      message: expect.stringMatching(
        /at most 10 MB \(10485760 bytes\) .* Send the events in several requests\.$/,
      ),
      details: { limit: 10 * 1024 * 1024, sizeInBytes: text.length },
    });
  });

  test('needs a secret key', async () => {
    const body = purchase();
    expect(await refusalOf(await api.call('/api/v1/events', { body }))).toMatchObject({ status: 401 });
    for (const kind of ['publishable', 'admin'] as const) {
      const { key } = await createKey(api.db, tenant.organizationId, kind);
      expect(await refusalOf(await api.call('/api/v1/events', { key, body }))).toMatchObject({ status: 403 });
    }
    expect(await log()).toEqual([]);
  });
});
