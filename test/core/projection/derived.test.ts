import { describe, expect, test } from 'vitest';
import { derivedNames } from '../../../src/core/projection/derived-names.ts';
import { accountKey } from '../../../src/core/projection/page.ts';
import type { PersonFacts } from '../../../src/core/projection/person-facts.ts';
import type { ProjectedEvent } from '../../../src/core/projection/projected-event.ts';
import { anEvent, createProjector, derivedOf, factsOf, start } from './play.ts';

const withFacts = (event: ProjectedEvent, facts: Partial<PersonFacts>) =>
  createProjector()
    .project([event], new Map([[event.position, factsOf(event, facts)]]))
    .derived.get(event.position);

const login = (given: Parameters<typeof anEvent>[1] = {}) => anEvent('login_success', given);
const day = 24 * 60;

describe('a login', () => {
  test('is the first once ever, per user', () => {
    const firsts = derivedOf(
      login(),
      login(),
      login({ userId: 'other' }),
      login({ organizationId: 'other' }),
    );
    expect(firsts.map((values) => values.is_first_login)).toEqual([true, false, true, true]);
  });

  test('starts the clock of what the user does later; whole seconds, never negative, counted events only', () => {
    const at = (seconds: number) => ({ occurredAt: new Date(start + seconds * 1000) });
    const seen = derivedOf(
      anEvent('job_created', at(-5)),
      login(),
      anEvent('job_created', at(61.9)),
      anEvent('job_created', at(-60)),
      anEvent('landing_view', at(70)),
      anEvent('job_created', { ...at(80), userId: 'other' }),
    );
    expect(seen.map((values) => values.seconds_since_first_login)).toEqual([
      undefined,
      0,
      61,
      0,
      undefined,
      undefined,
    ]);
  });

  test('that is told late does not become the first', () => {
    const seen = derivedOf(login(), login({ minute: -60 }), anEvent('job_created', { minute: 1 }));
    expect(seen.map((values) => values.is_first_login)).toEqual([true, false, undefined]);
    expect(seen[2]?.seconds_since_first_login).toBe(60);
  });
});

describe('of a person', () => {
  test('the age of the account is told in whole days, never negative, where there is one', () => {
    const account = { createdAt: new Date(start), firstLoginAt: null, activatedAt: null };
    const projector = createProjector({ accounts: new Map([[accountKey('org', 'user'), account]]) });
    const events = [
      anEvent('landing_view', { minute: 3 * day - 1 }),
      anEvent('landing_view', { minute: 3 * day }),
      anEvent('landing_view', { minute: -day }),
      anEvent('landing_view', { userId: 'other' }),
      anEvent('landing_view', { organizationId: 'other' }),
    ];
    const { derived } = projector.project(events);
    expect(events.map(({ position }) => derived.get(position)?.account_age_days)).toEqual([
      2,
      3,
      0,
      undefined,
      undefined,
    ]);
  });

  test('the consent is told as far as it was ever given', () => {
    const state = (adsAllowed: boolean | null, analyticsAllowed: boolean | null) =>
      withFacts(anEvent('landing_view'), { consent: { adsAllowed, analyticsAllowed } })?.consent_state;
    expect(state(null, null)).toBeUndefined();
    expect(state(false, null)).toEqual({ ads_allowed: false });
    expect(state(true, false)).toEqual({ ads_allowed: true, analytics_allowed: false });
  });

  test('the attribution is inherited by what a worker records', () => {
    const firstTouch = { channel: 'paid_social', fbclid: 'x' };
    const event = anEvent('processing_completed', { source: 'worker' });
    expect(withFacts(event, { firstTouch, lastTouch: { utm_source: 'mail' } })).toMatchObject({
      first_touch_channel: 'paid_social',
      attribution: { first_touch: firstTouch, last_touch: { utm_source: 'mail' } },
    });
    expect(withFacts(event, { lastTouch: { utm_source: 'mail' } })).not.toHaveProperty('last_touch_channel');
    expect(withFacts(event, { lastTouch: { channel: 'email' } })).toMatchObject({
      last_touch_channel: 'email',
      attribution: { last_touch: { channel: 'email' } },
    });
    expect(withFacts(event, {})).not.toHaveProperty('attribution');
  });

  test('the kind of address is told where an event has one', () => {
    const kind = (email: unknown) =>
      derivedOf(anEvent('signup_submit', { properties: { email } }))[0]?.email_domain_type;
    expect(kind('ann@gmail.com')).toBe('gmail');
    expect(kind('ann@acme.com')).toBe('work');
    expect(kind(7)).toBeUndefined();
    expect(kind(undefined)).toBeUndefined();
  });
});

describe('of a job', () => {
  const job = (event: string, properties: Record<string, unknown>) =>
    derivedOf(anEvent(event, { source: 'worker', properties }))[0];

  test('its numbers come in buckets', () => {
    expect(
      job('processing_completed', {
        duration_seconds: 12,
        resolution: '1080x1920',
        video_bytes: 60_000_000,
        attempt: 3,
      }),
    ).toMatchObject({
      video_duration_bucket: '10-30s',
      resolution_bucket: '1080p',
      file_size_bucket: '50-150mb',
      retry_count: 2,
      failure_reason_code: null,
    });
    expect(
      job('video_rendered', { width: 3840, height: 2160, sizeInBytes: 10, duration: 99_000 }),
    ).toMatchObject({
      resolution_bucket: '4k',
      file_size_bucket: '0-5mb',
    });
    expect(job('video_rendered', { duration: 99_000 })).not.toHaveProperty('video_duration_bucket');
  });

  test('a failure has its code', () => {
    expect(job('processing_failed', { error_code: 'browser_lost', attempt: 0 })).toMatchObject({
      failure_reason_code: 'browser_lost',
      retry_count: 0,
    });
    expect(job('processing_failed', { error_code: 7 })).not.toHaveProperty('failure_reason_code');
  });

  test('a count that the event has already stays', () => {
    expect(job('processing_failed', { attempt: 3, retry_count: 1 })).not.toHaveProperty('retry_count');
  });

  test('what is no amount makes no bucket', () => {
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, '12', null, {}, undefined]) {
      const values = job('job_created', {
        duration_seconds: wrong,
        video_bytes: wrong,
        width: wrong,
        height: 1,
        attempt: wrong,
      });
      expect(Object.keys(values ?? {}).filter((name) => /bucket|retry/.test(name))).toEqual([]);
    }
  });

  test('other events have none of it', () => {
    expect(job('download_completed', { video_bytes: 1, resolution: '10x10', attempt: 2 })).toEqual({});
  });
});

test('nothing is derived that the list does not name, and all that it names is', () => {
  const touch = { channel: 'email' };
  const facts = {
    firstTouch: touch,
    lastTouch: touch,
    consent: { adsAllowed: true, analyticsAllowed: true },
  };
  const account = { createdAt: new Date(start), firstLoginAt: null, activatedAt: null };
  const projector = createProjector({ accounts: new Map([[accountKey('org', 'user'), account]]) });
  const events = [
    login({ properties: { email: 'ann@gmail.com' } }),
    anEvent('cta_click'),
    anEvent('cta_click', { source: 'web' }),
    anEvent('upload_started'),
    anEvent('job_created'),
    anEvent('processing_completed', {
      properties: { duration_seconds: 1, resolution: '4k', video_bytes: 1, attempt: 1 },
    }),
    anEvent('return_session', { properties: { hours_since_last: 13 } }),
  ];
  const { derived } = projector.project(
    events,
    new Map(events.map((one) => [one.position, factsOf(one, facts)])),
  );
  const seen = new Set([...derived.values()].flatMap((values) => Object.keys(values)));
  expect([...seen].toSorted()).toEqual(Object.keys(derivedNames).toSorted());
});
