/** The channel of a touch, from what came with it. */

export const channels = ['paid_social', 'paid_search', 'organic', 'referral', 'email', 'direct'] as const;
export type Channel = (typeof channels)[number];

type Facts = Readonly<Record<string, unknown>>;
type Platform = 'social' | 'search' | 'mail';

const platforms: readonly (readonly [Platform, RegExp])[] = [
  ['mail', /(^|\.)mail\.|^outlook\.|gmail|newsletter|mailchimp|klaviyo|e-?mail/],
  [
    'social',
    /facebook|instagram|(^|\.)meta($|\.)|(^|\.)(fb|ig|t\.co|x|twitter|lnkd\.in)($|\.)|tiktok|linkedin|pinterest|snapchat|reddit|youtube/,
  ],
  ['search', /google|bing|duckduckgo|yahoo|baidu|yandex|ecosia|(^|\.)startpage/],
];

/** Of a source, an advertising platform or a host. */
const platformOf = (name: string): Platform | undefined =>
  platforms.find(([, pattern]) => pattern.test(name))?.[0];

const textIn = (facts: Facts, key: string): string => {
  const value = facts[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : '';
};

/** Empty where it is not a web address. */
export const hostOf = (address: unknown): string => {
  if (typeof address !== 'string' || !/^https?:/i.test(address) || !URL.canParse(address)) return '';
  return new URL(address).hostname.toLowerCase();
};

const has = (facts: Facts, ...keys: readonly string[]): boolean =>
  keys.some((key) => textIn(facts, key) !== '');

const paidMedium = /^(cpc|ppc|cpm|cpv|cpa|sem|display|retargeting|ads?|(paid|bought).*)$/;
const searchMedium = /^(cpc|ppc|sem)$|search/;
const unpaidMedium = /^(organic|social|referral|share|link|post|bio)/;
const mailMedium = /^(e-?mail|newsletter)/;

const isPaid = (facts: Facts, medium: string): boolean => {
  if (paidMedium.test(medium) || has(facts, 'gclid')) return true;
  if (unpaidMedium.test(medium) || mailMedium.test(medium)) return false;
  // Facebook marks links in unpaid posts, too; the event catalog's document reads the mark as that of an ad, and so do we.
  return has(facts, 'fbclid', 'ad_id', 'adset_id', 'campaign_id', 'creative_id', 'utm_adset', 'ad_platform');
};

const paidChannel = (facts: Facts, medium: string, platform: Platform | undefined): Channel => {
  if (has(facts, 'fbclid')) return 'paid_social';
  if (has(facts, 'gclid') || platform === 'search') return 'paid_search';
  if (platform === 'social') return 'paid_social';
  return searchMedium.test(medium) ? 'paid_search' : 'paid_social';
};

/** Looks at the campaign first, then at the referrer; with neither it is direct. */
export const channelOf = (facts: Facts): Channel => {
  const medium = textIn(facts, 'utm_medium');
  const named = textIn(facts, 'ad_platform') || textIn(facts, 'utm_source');
  const host = hostOf(facts.referrer);
  const platform = platformOf(named) ?? platformOf(host);
  if (isPaid(facts, medium)) return paidChannel(facts, medium, platform);
  if (mailMedium.test(medium) || platform === 'mail') return 'email';
  if (medium === 'organic' || platform === 'search') return 'organic';
  return named !== '' || medium !== '' || host !== '' ? 'referral' : 'direct';
};
