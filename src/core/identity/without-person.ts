/** What stays of an event when its person is erased: what happened, and nothing that says to whom. */
import { definitionOf, isEventName } from '../events/catalog.ts';
import type { EventSource } from '../events/define-event.ts';

export interface RecordedValues {
  readonly event: string;
  readonly source: EventSource;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A key is taken apart at `_`, `-`, `.`, `$` and capital letters; one of these words in it says that its value is about a person. */
const personalWords: ReadonlySet<string> = new Set(
  `address avatar birth birthday birthdate city company contact cookie customer device distinct email employer fingerprint fbclid
  first gclid geo handle ip ipv4 ipv6 lat latitude last lng lon longitude mail member message mobile name nickname person phone
  postal postcode profile referrer session ssn surname tel text title token url user username visitor zip`.split(
    /\s+/,
  ),
);
/** Names of things, which end in such a word. */
const thingWords: ReadonlySet<string> = new Set(['file', 'preset', 'plan', 'pack', 'feature', 'event']);

const keyPattern = /^[A-Za-z$][A-Za-z0-9_$.-]{0,63}$/;
const maxTextLength = 200;
/** A shorter id would be found in every number. */
const minSearchedLength = 4;

const wordsOf = (key: string): readonly string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);

/** `userId`, `email_address`, `client_ip` …: never kept, whatever the value. Counts such as `first_user_uses` are our own words. */
export const isPersonalKey = (key: string): boolean => {
  if (!keyPattern.test(key)) return true;
  const words = wordsOf(key);
  if (words.at(-1) === 'name' && thingWords.has(words.at(-2) ?? '')) return false;
  return words.some((word) => personalWords.has(word)) || /email|phone|username|userid/.test(words.join(''));
};

/** Whether a text says one of the ids. */
export const mentions = (text: string, ids: readonly string[]): boolean =>
  ids.some((id) => text === id || (id.length >= minSearchedLength && text.includes(id)));

/** Keys whose texts our own code writes: of a tenant's events any text may be a name. */
const ownKeysOf = ({ event, source }: RecordedValues): ReadonlySet<string> => {
  if (!isEventName(event)) return new Set();
  const { ownedByService, emitted, properties } = definitionOf(event);
  const isOurs = ownedByService === true || emitted !== undefined || source === 'worker';
  return new Set(isOurs ? Object.keys((emitted ?? properties).shape) : []);
};

/**
 * Of properties: numbers, booleans and null stay, and short texts under keys that our own code fills. What is nested goes, and so does
 * whatever stands under a personal key or mentions one of the ids.
 */
export const withoutPerson = (recorded: RecordedValues, ids: readonly string[]): Record<string, unknown> => {
  const ownKeys = ownKeysOf(recorded);
  const kept = Object.entries(recorded.values).filter(([key, value]) => {
    if (isPersonalKey(key) || mentions(key, ids)) return false;
    if (typeof value === 'number') return !mentions(String(value), ids);
    if (typeof value === 'string') {
      // Without it an amount says nothing.
      if (key === 'currency') return /^[A-Za-z]{3}$/.test(value);
      return (
        ownKeys.has(key) && value.length <= maxTextLength && !value.includes('@') && !mentions(value, ids)
      );
    }
    return value === null || typeof value === 'boolean';
  });
  return Object.fromEntries(kept);
};
