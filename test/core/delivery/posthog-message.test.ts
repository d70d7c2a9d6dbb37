import { expect, test } from 'vitest';
import {
  isHistorical,
  type PostHogMessage,
  toPostHogMessage,
} from '../../../src/core/delivery/posthog-message.ts';
import type { SinkEvent } from '../../../src/core/delivery/sink-event.ts';
import { eventId, sinkEvent } from './sink-events.ts';

const messageOf = (event: SinkEvent): PostHogMessage => {
  const message = toPostHogMessage(event, 'namespaced');
  if ('skipped' in message) throw new Error(`It is skipped: ${message.skipped}`);
  return message;
};
const skippedOf = (event: SinkEvent): unknown => toPostHogMessage(event, 'namespaced');

test('carries our id, the time of the event, the person, the organization as a group, and the whole envelope', () => {
  const message = messageOf(
    sinkEvent({
      id: eventId(7),
      event: 'video_rendered',
      sessionId: 's1',
      entityType: 'export',
      entityId: 'e1',
      correlationId: 'c1',
      source: 'worker',
      properties: { compositionId: 'hero', width: 1080, duration: 1200 },
      context: {
        url: 'https://shop.example/pricing?x=1',
        referrer: 'https://search.example/',
        utm_source: 'facebook',
        utm_campaign: 'spring',
        userAgent: 'Firefox',
      },
    }),
  );
  expect(message).toEqual({
    uuid: eventId(7),
    event: 'video_rendered',
    distinct_id: 'acme/u1',
    timestamp: '2026-03-10T11:59:00.000Z',
    properties: {
      compositionId: 'hero',
      width: 1080,
      duration: 1200,
      $current_url: 'https://shop.example/pricing?x=1',
      $referrer: 'https://search.example/',
      $raw_user_agent: 'Firefox',
      utm_source: 'facebook',
      utm_campaign: 'spring',
      organization_id: 'acme',
      source: 'worker',
      environment: 'test',
      schema_version: 1,
      correlation_id: 'c1',
      entity_type: 'export',
      entity_id: 'e1',
      session_id: 's1',
      $groups: { organization: 'acme' },
      $geoip_disable: true,
      $lib: 'rendermill',
    },
  });
});

test('takes for a session only what PostHog takes for one', () => {
  const id = '01a1fef3-54bd-7669-bed5-6054a8219876';
  expect(messageOf(sinkEvent({ sessionId: id })).properties).toMatchObject({ $session_id: id });
  const other = messageOf(sinkEvent({ sessionId: '7d444840-9dc0-41d1-b245-5ffdce74fad2' })).properties;
  expect(other).not.toHaveProperty('$session_id');
  expect(other).toHaveProperty('session_id');
});

test('makes a profile of users only', () => {
  const profileOf = (who: { userId: string | null; distinctId: string | null }) =>
    messageOf(sinkEvent(who)).properties.$process_person_profile;
  expect(profileOf({ userId: null, distinctId: 'v1' })).toBe(false);
  expect(profileOf({ userId: 'u1', distinctId: 'v1' })).toBeUndefined();
});

test('names the person by user, else by visitor, else nobody, for whom no profile is made', () => {
  expect(messageOf(sinkEvent({ userId: 'u1', distinctId: 'v1' })).distinct_id).toBe('acme/u1');
  expect(messageOf(sinkEvent({ userId: null, distinctId: 'v1' })).distinct_id).toBe('acme/v1');
  const nobodys = messageOf(sinkEvent({ userId: null, distinctId: null }));
  expect(nobodys.distinct_id).toBe('$organization/acme');
  expect(nobodys.properties.$process_person_profile).toBe(false);
});

test('joins the visitor to the user where the log says that they are one', () => {
  const linked = messageOf(
    sinkEvent({
      event: 'identity_linked',
      userId: 'u1',
      distinctId: 'v1',
      properties: {
        distinct_id: 'v1',
        method: 'login_success',
        attribution: {
          first_touch: { utm_source: 'facebook', referrer: 'https://a.example/' },
          last_touch: { utm_source: 'newsletter' },
        },
      },
    }),
  );
  expect(linked.event).toBe('$identify');
  expect(linked.distinct_id).toBe('acme/u1');
  expect(linked.properties).toMatchObject({
    $anon_distinct_id: 'acme/v1',
    $set_once: { $initial_utm_source: 'facebook', $initial_referrer: 'https://a.example/' },
    $set: { utm_source: 'newsletter' },
  });
  expect(skippedOf(sinkEvent({ event: 'identity_linked', distinctId: null }))).toEqual({
    skipped: 'an identity link without its visitor or its user',
  });
});

test('calls a page view as PostHog calls it, and an event that only the tenant knows by its own name', () => {
  expect(messageOf(sinkEvent({ event: 'page_viewed' })).event).toBe('$pageview');
  expect(messageOf(sinkEvent({ event: 'tea_brewed', isKnown: false })).event).toBe('tea_brewed');
});

test('never goes where the person has said no to analytics, and goes where it has said nothing', () => {
  const saying = (analyticsAllowed: boolean | null) =>
    sinkEvent({ consent: { adsAllowed: true, analyticsAllowed } });
  expect(skippedOf(saying(false))).toEqual({ skipped: 'no consent for analytics' });
  expect(messageOf(saying(null)).event).toBe('export_downloaded');
  expect(messageOf(saying(true)).event).toBe('export_downloaded');
});

test.each(['$merge_dangerously', '$create_alias', '$identify', '$delete', '$set'])(
  'a tenant cannot give PostHog the order %s',
  (event) => {
    expect(skippedOf(sinkEvent({ event, isKnown: false, properties: { alias: 'other/u1' } }))).toEqual({
      skipped: 'a name that begins with $ is a command to PostHog, which a tenant cannot give',
    });
  },
);

test('properties of a tenant reach neither another organization nor the request as a whole', () => {
  const { distinct_id, properties } = messageOf(
    sinkEvent({
      properties: JSON.parse(`{
        "$groups": {"organization": "other"}, "$anon_distinct_id": "other/u1", "$set": {"email": "x"}, "$ip": "1.2.3.4",
        "$process_person_profile": false, "token": "phc_other", "api_key": "phc_other", "distinct_id": "other/u1",
        "organization_id": "other", "source": "web", "__proto__": {"polluted": true}, "kept": 1}`),
    }),
  );
  expect(distinct_id).toBe('acme/u1');
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(['kept', '__proto__']));
  for (const name of [
    '$anon_distinct_id',
    '$set',
    '$ip',
    '$process_person_profile',
    'token',
    'api_key',
    'distinct_id',
  ]) {
    expect(Object.hasOwn(properties, name), name).toBe(false);
  }
  expect(properties).toMatchObject({
    $groups: { organization: 'acme' },
    organization_id: 'acme',
    source: 'server',
  });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('two people whose ids begin alike never become one: an id that PostHog would cut is not sent', () => {
  expect(messageOf(sinkEvent({ userId: 'x'.repeat(195) })).distinct_id).toHaveLength(200);
  expect(skippedOf(sinkEvent({ userId: 'x'.repeat(196) }))).toEqual({
    skipped: 'the id of its person is longer than 200 characters',
  });
});

test('is historical when it is more than 48 hours old', () => {
  const now = new Date('2026-03-10T12:00:00.000Z');
  const at = (occurredAt: string) => isHistorical(sinkEvent({ occurredAt: new Date(occurredAt) }), now);
  expect(at('2026-03-08T12:00:00.000Z')).toBe(false);
  expect(at('2026-03-08T11:59:59.999Z')).toBe(true);
});
