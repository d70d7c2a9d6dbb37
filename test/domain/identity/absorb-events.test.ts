import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { linkVisitor } from '../../../src/domain/identity/link-visitor.ts';
import { createOrganization, openTestDatabase, times } from '../../support/factories.ts';
import { absorb, absorbAgain, aRow, at, happen, write } from './support.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

let org: string;
beforeEach(async () => {
  org = await createOrganization(db);
});

const event = (given: Parameters<typeof aRow>[1] = {}) => aRow(org, given);
const login = (distinct_id: string, user_id: string, seconds = 10) =>
  event({ event_name: 'login_success', distinct_id, user_id, occurred_at: at(seconds) });
const consent = (properties: object, given: Parameters<typeof aRow>[1] = {}) =>
  event({ event_name: 'cookie_consent_updated', properties, ...given });
const links = () =>
  db
    .selectFrom('identity_link')
    .select(['distinct_id', 'user_id'])
    .where('organization_id', '=', org)
    .orderBy('distinct_id')
    .execute();
const visitors = () =>
  db.selectFrom('visitor').selectAll().where('organization_id', '=', org).orderBy('distinct_id').execute();
const told = () =>
  db
    .selectFrom('domain_event')
    .selectAll()
    .where('organization_id', '=', org)
    .where('event_name', '=', 'identity_linked')
    .orderBy('position')
    .execute();

describe('a visitor', () => {
  test('is known by when it was first and last seen, and from where it came first and last', async () => {
    await write(db, [
      event({ distinct_id: 'v', occurred_at: at(5), context: { utm_source: 'facebook', utm_medium: 'cpc' } }),
      event({ distinct_id: 'v', occurred_at: at(9), context: { utm_source: 'facebook', page_path: '/b' } }),
      event({ distinct_id: 'v', occurred_at: at(2), properties: { referrer: 'https://www.google.com/' } }),
      event({
        distinct_id: 'v',
        occurred_at: at(7),
        event_name: 'cta_click',
        properties: { page_path: '/c' },
      }),
    ]);
    await absorb(db);
    expect(await visitors()).toMatchObject([
      {
        distinct_id: 'v',
        first_seen_at: at(2),
        last_seen_at: at(9),
        first_touch: { utm_source: 'facebook', utm_medium: 'cpc', channel: 'paid_social' },
        last_touch: { referrer: 'https://www.google.com/', channel: 'organic' },
      },
    ]);
  });

  test('whose clock goes ahead was here no later than we heard of it', async () => {
    await happen(db, event({ distinct_id: 'v', occurred_at: new Date(Date.now() + 365 * 24 * 3_600_000) }));
    const [visitor] = await visitors();
    expect(visitor?.last_seen_at.getTime()).toBeLessThan(Date.now() + 60_000);
  });

  test('belongs to the user who logs in, from that event on', async () => {
    const rows = [
      event({ distinct_id: 'v' }),
      login('v', 'u'),
      event({ distinct_id: 'v', occurred_at: at(20) }),
    ];
    await write(db, rows);
    const facts = await absorb(db);
    expect(rows.map((row) => facts.get(row.id)?.userId)).toEqual([null, 'u', 'u']);
    expect(await links()).toEqual([{ distinct_id: 'v', user_id: 'u' }]);
  });

  test('is told of once, as an event of its own', async () => {
    await write(db, [login('v', 'u'), login('v', 'u', 20)]);
    await absorb(db);
    const again = {
      organizationId: org,
      distinctId: 'v',
      userId: 'u',
      method: 'identify' as const,
      at: at(30),
    };
    await db.transaction().execute((tx) => linkVisitor(tx, again));
    await absorbAgain(db);
    expect(await told()).toMatchObject([
      {
        source: 'server',
        user_id: 'u',
        distinct_id: 'v',
        entity_type: 'visitor',
        entity_id: 'v',
        occurred_at: at(10),
        properties: { distinct_id: 'v', method: 'login_success' },
      },
    ]);
  });

  test('stays with its first user: a second one is not joined to it, nor to the first', async () => {
    const rows = [login('v', 'ann'), login('v', 'bob', 20), event({ distinct_id: 'v', occurred_at: at(30) })];
    await write(db, rows);
    const facts = await absorb(db);
    expect(rows.map((row) => facts.get(row.id)?.userId)).toEqual(['ann', 'bob', 'ann']);
    await happen(db, login('v', 'bob', 40));
    expect(await links()).toEqual([{ distinct_id: 'v', user_id: 'ann' }]);
    expect(await told()).toHaveLength(1);
  });

  test.each([
    ['a browser says so', { source: 'web' as const }],
    ['another event names both', { event_name: 'purchase_completed' }],
    ['no user is named', { user_id: null }],
  ])('is not linked where %s', async (_name, given) => {
    await happen(db, { ...login('v', 'u'), ...given });
    expect(await links()).toEqual([]);
  });

  test("is linked by a tenant's identify as well", async () => {
    await happen(db, event({ event_name: 'identify', distinct_id: 'v', user_id: 'u' }));
    expect(await told()).toMatchObject([{ properties: { method: 'identify' } }]);
  });

  test('of one organization is nobody to another', async () => {
    const other = await createOrganization(db);
    await write(db, [
      login('v', 'ann'),
      aRow(other, { event_name: 'login_success', distinct_id: 'v', user_id: 'bob' }),
    ]);
    await absorb(db);
    const seen = await happen(db, aRow(other, { distinct_id: 'v' }));
    expect(seen?.userId).toBe('bob');
    expect(await links()).toEqual([{ distinct_id: 'v', user_id: 'ann' }]);
  });
});

describe("a server's event", () => {
  test('inherits the first touch of the visitor that was linked first, and the last one of who came last', async () => {
    await write(db, [
      event({ distinct_id: 'phone', occurred_at: at(0), context: { utm_source: 'tiktok' } }),
      event({ distinct_id: 'laptop', occurred_at: at(100), context: { utm_source: 'partner' } }),
      login('phone', 'u', 10),
      login('laptop', 'u', 110),
    ]);
    await absorb(db);
    const facts = await happen(db, event({ event_name: 'video_rendered', user_id: 'u', source: 'worker' }));
    expect(facts).toMatchObject({
      userId: 'u',
      distinctId: null,
      firstTouch: { utm_source: 'tiktok' },
      lastTouch: { utm_source: 'partner' },
    });
  });

  test('of a user without a visitor has none', async () => {
    expect(await happen(db, event({ user_id: 'nobody-knows' }))).toMatchObject({
      firstTouch: null,
      lastTouch: null,
      consent: { adsAllowed: null, analyticsAllowed: null },
    });
  });

  test('is found for a user with thousands of visitors', async () => {
    await write(db, [event({ distinct_id: 'v0', context: { utm_source: 'first' } })]);
    await write(
      db,
      times(900, (index) => login(`v${index}`, 'u', index)),
    );
    await absorb(db);
    expect(await happen(db, event({ user_id: 'u' }))).toMatchObject({ firstTouch: { utm_source: 'first' } });
  });
});

describe('consent', () => {
  const consentOf = async (given: Parameters<typeof aRow>[1]) => (await happen(db, event(given)))?.consent;

  test('travels from the visitor to its user, and from there to the events of the server', async () => {
    await write(db, [
      consent({ ads_allowed: true, analytics_allowed: false }, { distinct_id: 'v' }),
      login('v', 'u'),
    ]);
    await absorb(db);
    const expected = { adsAllowed: true, analyticsAllowed: false };
    expect(await consentOf({ user_id: 'u' })).toEqual(expected);
    expect(await consentOf({ distinct_id: 'v' })).toEqual(expected);
  });

  test('of a visitor that is linked is the word of its user', async () => {
    await write(db, [
      login('v', 'u'),
      consent({ ads_allowed: false }, { distinct_id: 'v', occurred_at: at(20) }),
    ]);
    await absorb(db);
    expect(await consentOf({ user_id: 'u' })).toMatchObject({ adsAllowed: false });
  });

  test('counts by when it was stated, not by when it came', async () => {
    await happen(db, consent({ ads_allowed: false }, { distinct_id: 'v', occurred_at: at(20) }));
    await happen(db, consent({ ads_allowed: true }, { distinct_id: 'v', occurred_at: at(10) }));
    expect(await consentOf({ distinct_id: 'v' })).toMatchObject({ adsAllowed: false });
    await happen(db, consent({ ads_allowed: true }, { distinct_id: 'v', occurred_at: at(30) }));
    expect(await consentOf({ distinct_id: 'v' })).toMatchObject({ adsAllowed: true });
  });

  test('that the user refused later on another device outweighs what its visitor allowed', async () => {
    await write(db, [
      consent({ ads_allowed: true }, { distinct_id: 'v', occurred_at: at(1) }),
      login('v', 'u'),
      consent({ ads_allowed: false }, { user_id: 'u', occurred_at: at(20) }),
    ]);
    await absorb(db);
    expect(await consentOf({ distinct_id: 'v' })).toMatchObject({ adsAllowed: false });
  });

  test('that a browser states for a user whom it only names is not heard', async () => {
    await happen(
      db,
      consent(
        { ads_allowed: true },
        { distinct_id: 'v', user_id: 'victim', source: 'web', occurred_at: at(20) },
      ),
    );
    expect(await consentOf({ user_id: 'victim' })).toMatchObject({ adsAllowed: null });
  });

  test('of visitors whom another transaction has linked is copied when that comes through the log', async () => {
    await happen(db, consent({ ads_allowed: false }, { distinct_id: 'v' }));
    const link = {
      organizationId: org,
      distinctId: 'v',
      userId: 'u',
      method: 'identify' as const,
      at: at(5),
    };
    await db.transaction().execute((tx) => linkVisitor(tx, link));
    await absorb(db);
    expect(await consentOf({ user_id: 'u' })).toMatchObject({ adsAllowed: false });
  });
});

describe('a deleted account', () => {
  test('allows nothing from that event on, and what it refused holds until it is forgotten', async () => {
    const rows = [
      consent({ ads_allowed: true, analytics_allowed: false }, { distinct_id: 'v' }),
      login('v', 'u'),
      event({ event_name: 'account_deleted', user_id: 'u', occurred_at: at(20) }),
      event({ distinct_id: 'v', occurred_at: at(30) }),
    ];
    await write(db, rows);
    const facts = await absorb(db);
    const consents = rows.map((row) => facts.get(row.id)?.consent);
    expect(consents[2]).toEqual({ adsAllowed: true, analyticsAllowed: false });
    expect(consents[3]).toEqual({ adsAllowed: null, analyticsAllowed: false });
    expect(facts.get(rows[3]?.id ?? '')?.userId).toBeNull();
    expect(await links()).toEqual([]);
  });

  test('is one request, whose visitors a second reading does not take away', async () => {
    await write(db, [
      login('v', 'u'),
      event({ event_name: 'account_deleted', user_id: 'u', occurred_at: at(20) }),
    ]);
    await absorb(db);
    const again = {
      organizationId: org,
      distinctId: 'v',
      userId: 'u',
      method: 'identify' as const,
      at: at(30),
    };
    await db.transaction().execute((tx) => linkVisitor(tx, again));
    await absorbAgain(db);
    expect(await links()).toEqual([{ distinct_id: 'v', user_id: 'u' }]);
    const requests = await db
      .selectFrom('erasure_request')
      .selectAll()
      .where('organization_id', '=', org)
      .execute();
    expect(requests).toMatchObject([{ user_id: 'u', distinct_ids: ['v'] }]);
  });
});

describe('a page of the log', () => {
  test('that is read again changes nothing', async () => {
    await write(db, [
      event({ distinct_id: 'v', context: { utm_source: 'a' } }),
      login('v', 'u'),
      event({ distinct_id: 'v', context: { utm_source: 'b' } }),
      consent({ ads_allowed: true }, { distinct_id: 'v' }),
    ]);
    await absorb(db);
    const before = [await visitors(), await links(), (await told()).length];
    await absorbAgain(db);
    expect([await visitors(), await links(), (await told()).length]).toEqual(before);
  });

  test('says the same whatever its size', async () => {
    const rows = times(12, (index) =>
      index % 3 === 0
        ? login(`v${index % 4}`, `u${index % 2}`, index)
        : event({
            distinct_id: `v${index % 4}`,
            occurred_at: at(index),
            context: { utm_source: `s${index}` },
          }),
    );
    await write(db, rows);
    await absorb(db, 1);
    const small = [await visitors(), await links()];
    await db.deleteFrom('visitor').where('organization_id', '=', org).execute();
    await db.deleteFrom('identity_link').where('organization_id', '=', org).execute();
    await absorbAgain(db);
    expect([await visitors(), await links()]).toEqual(small);
  });
});
