import { describe, expect, test } from 'vitest';
import { posthogDistinctId } from '../../../src/core/delivery/posthog-distinct-id.ts';
import { isPersonalKey, withoutPerson } from '../../../src/core/identity/without-person.ts';

const ids = ['user-1', 'anon_9b2f', '42'];
const worker = (values: Record<string, unknown>) =>
  withoutPerson({ event: 'video_rendered', source: 'worker', values }, ids);
const tenants = (values: Record<string, unknown>, event = 'order_shipped') =>
  withoutPerson({ event, source: 'server', values }, ids);

describe('an event without its person', () => {
  test('of our own keeps what happened', () => {
    const values = {
      compositionId: 'hero-ad',
      format: 'mp4',
      width: 1080,
      sizeInBytes: 1234,
      timestamp: '2026-03-10T12:00:00.000Z',
      exportId: '0190b1d2-0000-7000-8000-000000000000',
      cached: false,
      templateId: null,
    };
    expect(worker(values)).toEqual(values);
  });

  test.each([
    ['the user', { userId: 'somebody' }],
    ['a text that our event does not define', { note: 'Jane' }],
    ['a text that is the id', { compositionId: 'user-1' }],
    ['a text that holds an id', { projectId: 'project-of-user-1' }],
    ['a short id', { projectId: '42' }],
    ['an address', { templateId: 'jane@example.com' }],
    ['a long text', { templateId: 'x'.repeat(201) }],
    ['what is nested', { compositionId: { name: 'Jane' } }],
    ['a list', { format: ['Jane'] }],
  ])('of our own loses %s', (_name, values) => {
    expect(worker(values)).toEqual({});
  });

  test("of a tenant keeps numbers, booleans and null, and no text, whatever the catalog's names are", () => {
    const values = { amount: 12.5, gift: true, coupon: null, compositionId: 'hero-ad', note: 'for Jane' };
    expect(tenants(values)).toEqual({ amount: 12.5, gift: true, coupon: null });
    expect(tenants({ selected_pack: 'Jane', amount: 1 }, 'purchase_completed')).toEqual({ amount: 1 });
  });

  test('loses keys that are a person, numbers that are its id, and keys that nobody writes', () => {
    const values = { 'jane@example.com': 1, 'user-1': true, 'anon_9b2f count': 3, age_rank: 42, n: 421 };
    expect(tenants(values)).toEqual({ n: 421 });
    expect(tenants(JSON.parse('{"__proto__": 1, "amount": 2}') as Record<string, unknown>)).toEqual({
      amount: 2,
    });
  });

  test.each([
    'userId',
    'user_id',
    'USER_ID',
    'email',
    'emailAddress',
    'billing.email',
    'first_name',
    'fullName',
    'name',
    'phone',
    'phoneNumber',
    'ip',
    'client_ip',
    'ipAddress',
    '$ip',
    'distinct_id',
    'deviceId',
    'session_id',
    'geo',
    'latitude',
    'zip_code',
    'fbclid',
    'referrer',
    'page_url',
    'token',
  ])('does not keep %s', (key) => {
    expect(isPersonalKey(key)).toBe(true);
    expect(tenants({ [key]: 7 })).toEqual({});
  });

  test.each([
    'compositionId',
    'zoom',
    'description_length',
    'ship_count',
    'file_name',
    'successCount',
    'tips',
  ])('may keep %s', (key) => {
    expect(isPersonalKey(key)).toBe(false);
  });
});

test("a person's name at PostHog has the organization in it, unless that was switched off", () => {
  expect(posthogDistinctId('namespaced', 'acme', 'user-1')).toBe('acme/user-1');
  expect(posthogDistinctId('raw', 'acme', 'user-1')).toBe('user-1');
});
