import { describe, expect, test } from 'vitest';
import { channelOf } from '../../../src/core/identity/channel.ts';
import { isNewTouch, touchOf } from '../../../src/core/identity/touch.ts';

describe('the channel', () => {
  test.each([
    [{}, 'direct'],
    [{ page_path: '/pricing' }, 'direct'],
    [{ utm_source: 'facebook', utm_medium: 'cpc' }, 'paid_social'],
    [{ utm_source: 'facebook', utm_medium: 'paid_social' }, 'paid_social'],
    [{ utm_source: 'FB', utm_campaign: 'x', fbclid: 'abc' }, 'paid_social'],
    [{ fbclid: 'abc', referrer: 'https://l.facebook.com/' }, 'paid_social'],
    [{ fbclid: 'abc', utm_medium: 'social', utm_source: 'facebook' }, 'referral'],
    [{ ad_platform: 'meta', campaign_id: '1', adset_id: '2', ad_id: '3' }, 'paid_social'],
    [{ ad_platform: 'google', ad_id: '3' }, 'paid_search'],
    [{ utm_source: 'tiktok', utm_medium: 'cpm' }, 'paid_social'],
    [{ utm_source: 'google', utm_medium: 'cpc' }, 'paid_search'],
    [{ utm_source: 'bing', utm_medium: 'ppc' }, 'paid_search'],
    [{ gclid: 'abc', referrer: 'https://www.google.com/' }, 'paid_search'],
    [{ utm_source: 'somewhere', utm_medium: 'cpc' }, 'paid_search'],
    [{ utm_source: 'somewhere', utm_medium: 'display' }, 'paid_social'],
    [{ referrer: 'https://www.google.de/search?q=ads' }, 'organic'],
    [{ referrer: 'https://duckduckgo.com/' }, 'organic'],
    [{ utm_medium: 'organic', utm_source: 'anything' }, 'organic'],
    [{ utm_medium: 'email', utm_source: 'spring' }, 'email'],
    [{ utm_source: 'newsletter' }, 'email'],
    [{ referrer: 'https://mail.google.com/' }, 'email'],
    [{ referrer: 'https://news.ycombinator.com/item?id=1' }, 'referral'],
    [{ referrer: 'https://www.facebook.com/' }, 'referral'],
    [{ utm_source: 'partner' }, 'referral'],
    [{ referrer: 'not an address' }, 'direct'],
    [{ utm_source: '  ', utm_medium: '' }, 'direct'],
  ])('of %j is %s', (facts, channel) => {
    expect(channelOf(facts)).toBe(channel);
  });
});

describe('a touch', () => {
  const touch = (properties: Record<string, unknown>, context: Record<string, unknown> = {}) =>
    touchOf({ properties, context });

  test('has what the document names, from properties and from the context, and its channel', () => {
    const context = { utm_source: 'facebook', browser: 'Firefox', ad_id: 789, page_path: '/from-context' };
    expect(touch({ utm_medium: 'cpc', page_path: '/', device: 'phone' }, context)).toEqual({
      utm_source: 'facebook',
      utm_medium: 'cpc',
      ad_id: '789',
      page_path: '/',
      channel: 'paid_social',
    });
  });

  test('is none where the event says nothing of it', () => {
    expect(touch({ job_id: 'j', utm_source: '', referrer: null, gclid: { a: 1 } })).toBeNull();
    expect(touch(JSON.parse('{"__proto__": {"utm_source": "x"}}') as Record<string, unknown>)).toBeNull();
  });

  test('does not come from a page of the same site', () => {
    const page = { url: 'https://shop.example/b' };
    expect(touch({ referrer: 'https://shop.example/a', page_path: '/b' }, page)).toEqual({
      page_path: '/b',
      channel: 'direct',
    });
    expect(touch({ referrer: 'https://other.example/a' }, page)).toMatchObject({ channel: 'referral' });
  });

  test('is cut where a value is long', () => {
    expect(String(touch({ utm_campaign: 'x'.repeat(10_000) })?.utm_campaign)).toHaveLength(500);
  });

  test.each([
    ['the first', { page_path: '/' }, null, true],
    ['a page without a campaign', { page_path: '/b' }, { page_path: '/', utm_source: 'a' }, false],
    ['the same campaign on the next page', { utm_source: 'a', page_path: '/b' }, { utm_source: 'a' }, false],
    ['another campaign', { utm_source: 'b' }, { utm_source: 'a' }, true],
    [
      'another click of the same campaign',
      { utm_source: 'a', gclid: '2' },
      { utm_source: 'a', gclid: '1' },
      true,
    ],
    [
      'the same referrer',
      { referrer: 'https://a.example/' },
      { referrer: 'https://a.example/', gclid: '1' },
      false,
    ],
    ['another referrer', { referrer: 'https://b.example/' }, { utm_source: 'a' }, true],
  ])('of %s: new or not', (_name, next, last, isNew) => {
    expect(isNewTouch(next, last)).toBe(isNew);
  });
});
