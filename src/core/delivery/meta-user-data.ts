/**
 * Whom Meta may match: contact data is normalised, then hashed, as its parameters page says
 * (developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters).
 */
import { readAttribution, readFact, readTouch } from './read-context.ts';
import type { SinkEvent } from './sink-event.ts';

export interface MetaUserData {
  readonly em?: readonly string[];
  readonly ph?: readonly string[];
  readonly fn?: readonly string[];
  readonly ln?: readonly string[];
  readonly external_id?: readonly string[];
  readonly fbc?: string;
  readonly fbp?: string;
  readonly client_user_agent?: string;
  readonly client_ip_address?: string;
}

/** Lower-case hexadecimal SHA-256 of a text in UTF-8. */
export type Sha256 = (text: string) => string;

const names = (text: string): string =>
  text
    .replace(/[\p{P}\p{S}]/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();

const normalisers = {
  em: (text: string) => text.trim().toLowerCase(),
  ph: (text: string) => text.replace(/\D/g, '').replace(/^0+/, ''),
  fn: (text: string) => names(text.toLowerCase()),
  ln: (text: string) => names(text.toLowerCase()),
  external_id: (text: string) => text.trim(),
} as const;

export type HashedField = keyof typeof normalisers;

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text);

/** As Meta wants it; what is a hash already stays one. Undefined: nothing is left to hash. */
export const hashContact = (field: HashedField, text: string, sha256: Sha256): string | undefined => {
  const given = text.trim();
  if (isHash(given)) return given.toLowerCase();
  const normalised = normalisers[field](text);
  return normalised === '' ? undefined : sha256(normalised);
};

const contacts = [
  ['em', ['email', 'em']],
  ['ph', ['phone', 'phone_number', 'ph']],
  ['fn', ['first_name', 'firstName', 'fn']],
  ['ln', ['last_name', 'lastName', 'ln']],
  ['external_id', ['external_id']],
] as const;

/** Null: nothing by which Meta could match anybody; it refuses such events. */
export const metaUserData = (event: SinkEvent, sha256: Sha256): MetaUserData | null => {
  const hashed = Object.fromEntries(
    contacts.flatMap(([field, from]) => {
      const given = readFact(event, ...from) ?? (field === 'external_id' ? personId(event) : undefined);
      const value = given === undefined ? undefined : hashContact(field, given, sha256);
      return value === undefined ? [] : [[field, [value]] as const];
    }),
  );
  const data: MetaUserData = { ...hashed, ...clickAndBrowser(event) };
  return data.em || data.ph || data.external_id || data.fbc || data.fbp || data.client_ip_address
    ? data
    : null;
};

/** One pixel serves every organization: the same user id in two of them is two people. */
const personId = ({ organizationId, userId, distinctId }: SinkEvent): string | undefined => {
  const id = userId ?? distinctId;
  return id === null ? undefined : `${organizationId}/${id}`;
};

/** These are sent as they are. */
const clickAndBrowser = (event: SinkEvent): MetaUserData => {
  const fbc = clickId(event);
  const fbp = readFact(event, 'fbp', '_fbp');
  const userAgent = readFact(event, 'client_user_agent', 'userAgent', 'user_agent');
  const address = readFact(event, 'client_ip_address', 'ip');
  return {
    ...(fbc === undefined ? {} : { fbc }),
    ...(fbp === undefined ? {} : { fbp }),
    ...(userAgent === undefined ? {} : { client_user_agent: userAgent }),
    ...(address === undefined ? {} : { client_ip_address: address }),
  };
};

/** The cookie's value, else one made as Meta makes it: version, subdomain index, milliseconds, `fbclid` unchanged. */
const clickId = (event: SinkEvent): string | undefined => {
  const given = readFact(event, 'fbc', '_fbc');
  if (given !== undefined) return given;
  const { firstTouch, lastTouch } = readAttribution(event);
  const fbclid =
    readFact(event, 'fbclid') ?? readTouch(lastTouch, 'fbclid') ?? readTouch(firstTouch, 'fbclid');
  return fbclid === undefined ? undefined : `fb.1.${event.occurredAt.getTime()}.${fbclid}`;
};
