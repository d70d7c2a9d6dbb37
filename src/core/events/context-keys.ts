/**
 * Where a person came from, as a flat key of an event: the context holds it, wherever the sender wrote it. Source: the event
 * catalog document, sections 2 A, 4 and 9 F.
 */

const campaignTag = /^utm_[a-z0-9_]{1,40}$/;

const named: ReadonlySet<string> = new Set([
  'fbclid',
  'fbc',
  'fbp',
  'gclid',
  'gbraid',
  'wbraid',
  'msclkid',
  'ttclid',
  'ad_id',
  'adset_id',
  'campaign_id',
  'creative_id',
  'ad_platform',
  'ad_angle',
  'experiment_variant',
  'landing_variant',
  'landing_variant_id',
  'referrer',
  'page_path',
  'device',
  'geo',
]);

/** An address with its query is shorter in any browser's reach; more says nothing of where someone came from. */
const maxLength = 2_000;

const isContextKey = (key: string): boolean => named.has(key) || campaignTag.test(key);

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.trim() !== '' && value.length <= maxLength);

/** A copy of what belongs into the context; what is empty, nested or longer than 2,000 characters does not. */
export const contextOf = (
  given: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(given).filter(
      (entry): entry is [string, string | number | boolean] => isContextKey(entry[0]) && isPlain(entry[1]),
    ),
  );
