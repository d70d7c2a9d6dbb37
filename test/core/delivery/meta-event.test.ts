import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type MetaServerEvent, toMetaEvent } from '../../../src/core/delivery/meta-event.ts';
import { type HashedField, hashContact, metaUserData } from '../../../src/core/delivery/meta-user-data.ts';
import type { SinkEvent } from '../../../src/core/delivery/sink-event.ts';
import { eventId, sinkEvent } from './sink-events.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const now = new Date('2026-03-10T12:00:00.000Z');
const consent = { adsAllowed: true, analyticsAllowed: null };

const conversion = (given: Partial<SinkEvent> = {}): SinkEvent =>
  sinkEvent({ event: 'landing_view', userId: null, distinctId: 'v1', source: 'web', consent, ...given });
const mapped = (event: SinkEvent): MetaServerEvent => {
  const given = toMetaEvent(event, { now, sha256 });
  if ('skipped' in given) throw new Error(`It is skipped: ${given.skipped}`);
  return given;
};
const skipped = (event: SinkEvent): string | undefined => {
  const given = toMetaEvent(event, { now, sha256 });
  return 'skipped' in given ? given.skipped : undefined;
};

describe('contact data', () => {
  // The first two are the examples of Meta's own parameters page.
  const email = '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f';
  const phone = 'e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176';
  const mary = '6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec';
  const rows: readonly [HashedField, string, string | undefined][] = [
    ['em', 'john_smith@gmail.com', email],
    ['em', '  John_Smith@Gmail.COM \n', email],
    ['em', email, email],
    ['em', email.toUpperCase(), email],
    ['em', '   ', undefined],
    ['ph', '16505551212', phone],
    ['ph', '+1 (650) 555-1212', phone],
    ['ph', '001-650-555-1212', phone],
    ['ph', 'none', undefined],
    ['fn', ' Mary ', mary],
    ['fn', 'MARY.', mary],
    ['fn', '정', '8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14'],
    ['ln', "O'Brien-Smith", sha256('obriensmith')],
    ['external_id', ' User-7 ', sha256('User-7')],
  ];
  test.each(rows)('%s %j is normalised, then hashed', (field, given, expected) => {
    expect(hashContact(field, given, sha256)).toBe(expected);
  });

  test('leaves the process as a hash only; click, browser and user agent as they are', () => {
    const data = metaUserData(
      conversion({
        userId: 'u1',
        properties: {
          email: 'john_smith@gmail.com',
          phone: '+1 650 555 1212',
          first_name: 'Mary',
          last_name: 'Smith',
        },
        context: { fbp: 'fb.1.1.2', fbclid: 'IwAR2F4-x', userAgent: 'Mozilla/5.0 (X11)', ip: '203.0.113.7' },
      }),
      sha256,
    );
    expect(data).toEqual({
      em: [email],
      ph: [phone],
      fn: [mary],
      ln: [sha256('smith')],
      external_id: [sha256('acme/u1')],
      fbc: `fb.1.${Date.parse('2026-03-10T11:59:00.000Z')}.IwAR2F4-x`,
      fbp: 'fb.1.1.2',
      client_user_agent: 'Mozilla/5.0 (X11)',
      client_ip_address: '203.0.113.7',
    });
  });

  test('never makes one person of two organizations', () => {
    const of = (organizationId: string) =>
      metaUserData(conversion({ organizationId, userId: 'u1' }), sha256)?.external_id;
    expect(of('acme')).not.toEqual(of('other'));
  });

  test('a click is told by its cookie, else by the event, else by the last touch, else by the first', () => {
    const fbc = (given: Partial<SinkEvent>) => metaUserData(conversion(given), sha256)?.fbc;
    const at = Date.parse('2026-03-10T11:59:00.000Z');
    const attribution = { first_touch: { fbclid: 'First' }, last_touch: { fbclid: 'Last' } };
    expect(fbc({ context: { fbc: 'fb.1.5.Cookie', fbclid: 'Own' }, properties: { attribution } })).toBe(
      'fb.1.5.Cookie',
    );
    expect(fbc({ context: { fbclid: 'Own' }, properties: { attribution } })).toBe(`fb.1.${at}.Own`);
    expect(fbc({ properties: { attribution } })).toBe(`fb.1.${at}.Last`);
    expect(fbc({ properties: { attribution: { first_touch: { fbclid: 'First' } } } })).toBe(
      `fb.1.${at}.First`,
    );
    expect(fbc({ properties: { attribution: 'nonsense' } })).toBeUndefined();
  });
});

describe('an event', () => {
  test('becomes the conversion that the catalog names, with our id for the pixel to share', () => {
    const purchase = mapped(
      conversion({
        id: eventId(9),
        event: 'purchase_completed',
        userId: 'u1',
        properties: { price: 29.9, currency: 'usd', order_id: 'o-1', sku: 'pro-monthly' },
        context: { url: 'https://shop.example/thanks' },
      }),
    );
    expect(purchase).toEqual({
      event_name: 'Purchase',
      event_time: Date.parse('2026-03-10T11:59:00.000Z') / 1_000,
      event_id: eventId(9),
      action_source: 'website',
      event_source_url: 'https://shop.example/thanks',
      user_data: { external_id: [sha256('acme/u1')] },
      custom_data: {
        value: 29.9,
        currency: 'USD',
        order_id: 'o-1',
        content_ids: ['pro-monthly'],
        content_type: 'product',
      },
    });
  });

  test.each([
    ['landing_view', 'PageView'],
    ['pricing_view', 'ViewContent'],
    ['signup_start', 'Lead'],
    ['checkout_started', 'InitiateCheckout'],
  ])('%s is %s', (event, name) => {
    expect(mapped(conversion({ event })).event_name).toBe(name);
  });

  test.each([
    ['login_success', 'CompleteRegistration'],
    ['processing_completed', 'AddToCart'],
  ])('the first %s of a person is %s, and no other', (event, name) => {
    expect(mapped(conversion({ event, properties: { is_first_user_use: true } })).event_name).toBe(name);
    const reason = 'not the first of its person';
    expect(skipped(conversion({ event, properties: { is_first_user_use: false } }))).toBe(reason);
    expect(skipped(conversion({ event }))).toBe(reason);
  });

  test.each([
    [null, 'no consent for advertising'],
    [false, 'no consent for advertising'],
    [true, undefined],
  ])('goes only with consent for advertising: %s', (adsAllowed, reason) => {
    expect(skipped(conversion({ consent: { adsAllowed, analyticsAllowed: true } }))).toBe(reason);
  });

  test('that is older than seven days, or will be on its way there, is not sent', () => {
    const at = (occurredAt: string) => skipped(conversion({ occurredAt: new Date(occurredAt) }));
    expect(at('2026-03-03T12:10:00.000Z')).toBeUndefined();
    expect(at('2026-03-03T12:09:59.999Z')).toBe('older than seven days');
  });

  test('from a clock that is ahead happens now', () => {
    const ahead = conversion({ occurredAt: new Date('2026-03-10T13:00:00.000Z') });
    expect(mapped(ahead).event_time).toBe(now.getTime() / 1_000);
  });

  test('that Meta would refuse is not sent: not mapped, nobody to match, a purchase of nothing', () => {
    expect(skipped(conversion({ event: 'video_rendered' }))).toBe('the catalog does not send it to Meta');
    expect(skipped(conversion({ event: '__proto__' }))).toBe('the catalog does not send it to Meta');
    const nobody = { userId: null, distinctId: null, context: { userAgent: 'Mozilla/5.0' } };
    expect(skipped(conversion(nobody))).toBe('nothing by which Meta could match a person');
    expect(skipped(conversion({ event: 'purchase_completed', properties: { price: 3 } }))).toBe(
      'a purchase without price and currency',
    );
  });

  test('names its page only where that is an address of the web', () => {
    const urlOf = (url: string) => mapped(conversion({ context: { url } })).event_source_url;
    expect(urlOf('https://shop.example/')).toBe('https://shop.example/');
    expect(urlOf('javascript:alert(1)')).toBeUndefined();
    expect(urlOf('/app')).toBeUndefined();
    const page = { url: 'https://shop.example/nested' };
    expect(mapped(conversion({ context: { page } })).event_source_url).toBe(page.url);
  });
});
