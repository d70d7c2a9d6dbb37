/** What an event says of where its visitor came from. Names: the event catalog document, sections 2 and 9. */
import type { Touch } from '../projection/person-facts.ts';
import { cutText } from '../storable-text.ts';
import { channelOf, hostOf } from './channel.ts';

/** What names a campaign: other values are another touch. */
const campaignKeys = [
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_adset',
  'utm_content',
  'utm_term',
  'fbclid',
  'gclid',
  'ad_id',
  'adset_id',
  'campaign_id',
  'creative_id',
  'ad_platform',
  'ad_angle',
] as const;

/** What is kept beside it. */
const placeKeys = ['referrer', 'landing_variant', 'landing_variant_id', 'page_path'] as const;

export const touchKeys = [...campaignKeys, ...placeKeys, 'channel'] as const;

/** Under any of these the browser may tell on which page it is. */
const pageAddressKeys = ['url', 'page_url', 'current_url', '$current_url'] as const;

const maxTextLength = 500;

type Values = Readonly<Record<string, unknown>>;

interface Told {
  readonly properties: Values;
  readonly context: Values;
}

const ownValue = (values: Values, key: string): unknown =>
  Object.hasOwn(values, key) ? values[key] : undefined;

const toldValue = ({ properties, context }: Told, key: string): string | undefined => {
  const value = ownValue(properties, key) ?? ownValue(context, key);
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : cutText(text, maxTextLength);
};

/** A page of the same site is no place to come from. */
const isOwnPage = (told: Told, referrer: string): boolean => {
  const page = pageAddressKeys.map((key) => hostOf(toldValue(told, key))).find((host) => host !== '');
  return page !== undefined && page === hostOf(referrer);
};

/** null: the event says nothing of it. */
export const touchOf = (told: Told): Touch | null => {
  const found = [...campaignKeys, ...placeKeys].flatMap((key) => {
    const value = toldValue(told, key);
    return value === undefined || (key === 'referrer' && isOwnPage(told, value))
      ? []
      : [[key, value] as const];
  });
  if (found.length === 0) return null;
  const facts = Object.fromEntries(found);
  return { ...facts, channel: channelOf(facts) };
};

/**
 * Whether the touch is another one than the last: a campaign with other values, or, without a campaign, another referrer. Pages
 * that are viewed later repeat the address with which a visitor came; that is no new touch.
 */
export const isNewTouch = (touch: Touch, last: Touch | null): boolean => {
  if (last === null) return true;
  const named = campaignKeys.filter((key) => touch[key] !== undefined);
  if (named.length > 0) return named.some((key) => touch[key] !== last[key]);
  return touch.referrer !== undefined && touch.referrer !== last.referrer;
};
