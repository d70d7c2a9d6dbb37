import { describe, expect, test } from 'vitest';
import type { EventName } from '../../../src/core/events/catalog.ts';
import { validateProperties } from '../../../src/core/events/validate-properties.ts';

describe('properties of somebody else', () => {
  test('are taken as they are, with what the catalog does not name', () => {
    // The example of the event catalog document, section 10.
    const properties = {
      page_path: '/app',
      utm_source: 'facebook',
      ad_angle: 'ugc_deliverable',
      job_id: 'job_987',
      mode: 'inpaint',
      detected_platform: 'tiktok',
      watermark_position: 'corner',
      watermark_confidence: 0.91,
      file_size_bucket: '50-150mb',
      queue_wait_ms: 12_000,
      processing_time_ms: 98_000,
      success: true,
      failure_reason_code: null,
      credits_before: 18,
      credits_after: 17,
    };
    const validated = validateProperties('processing_completed', properties);
    expect(validated).toEqual({ ok: true, properties });
    expect(Object.keys(validated.ok ? validated.properties : {})).toEqual(Object.keys(properties));
  });

  test('have a batch of their own under our name, which asks for more of ours', () => {
    const properties = { batch_id: 12, recipe_id: 'soap', jobType: 'kitchen', totalItems: 1 };
    expect(validateProperties('batch_completed', properties)).toEqual({ ok: true, properties });
  });

  test('may say null for what may be absent, and null stays where it is a value', () => {
    const properties = { utm_source: 'news', utm_adset: null, colour: null };
    expect(validateProperties('landing_view', properties)).toEqual({
      ok: true,
      properties: { utm_source: 'news', colour: null },
    });
    expect(validateProperties('purchase_completed', { coupon: null, plan: null })).toEqual({
      ok: true,
      properties: { coupon: null },
    });
    expect(validateProperties('processing_completed', { job_id: null })).toMatchObject({ ok: false });
  });

  const refused: readonly [string, EventName, unknown, readonly RegExp[]][] = [
    ['another type', 'landing_view', { utm_source: 5 }, [/^utm_source: .*string.*number/]],
    ['a missing required one', 'processing_started', {}, [/^job_id: /]],
    [
      'all that is wrong at once',
      'purchase_completed',
      { price: '9', currency: 5 },
      [/^price: /, /^currency: /],
    ],
    [
      'a value that is none of its own',
      'processing_failed',
      { job_id: 'j', mode: 'guess' },
      [/^mode: .*crop/],
    ],
    [
      'a bound',
      'watermark_detected',
      { job_id: 'j', watermark_confidence: 1.1 },
      [/^watermark_confidence: /],
    ],
    ['an infinite price', 'purchase_completed', { price: Number.POSITIVE_INFINITY }, [/^price: /]],
    ['one inside a list', 'faq_expand', { faq_opened_topics: ['a', 2] }, [/^faq_opened_topics\.1: /]],
    ['a list', 'landing_view', [], [/^properties: expected an object/]],
    ['nothing', 'landing_view', null, [/^properties: expected an object/]],
    ['text', 'landing_view', 'utm_source', [/^properties: expected an object/]],
  ];
  test.each(refused)('are refused for %s, with the reason', (_what, name, properties, reasons) => {
    const validated = validateProperties(name, properties);
    expect(validated.ok).toBe(false);
    if (validated.ok) return;
    expect(validated.reasons).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
  });

  test('reach no prototype, and keep a key that is named like one', () => {
    const hostile = JSON.parse('{"__proto__": {"utm_source": 5}, "constructor": 1}') as object;
    const validated = validateProperties('landing_view', hostile);
    expect(validated.ok && Object.keys(validated.properties)).toEqual(['__proto__', 'constructor']);
    expect(validated.ok && Object.getPrototypeOf(validated.properties)).toBe(Object.prototype);
  });

  test('do not show the value that was refused', () => {
    const validated = validateProperties('login_success', { email: { secret: 'ann@example.com' } });
    expect(JSON.stringify(validated)).not.toContain('ann@example.com');
  });
});
