/**
 * An event as somebody else sends it: the canonical shape of the event catalog document (sections 4 and 10), read leniently where
 * nothing is lost by it, and refused with all of its reasons where something would be.
 */
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { isUuid } from '../ids.ts';
import { findUnstorable } from '../nesting.ts';
import { cutText } from '../storable-text.ts';
import { contextOf } from './context-keys.ts';
import { type EventSource, eventSources } from './define-event.ts';
import { hasExtremeNumber } from './extreme-number.ts';
import { findUnsafeKey } from './unsafe-keys.ts';

export const maxPropertiesBytes = 64 * 1024;
export const maxContextBytes = 16 * 1024;
const maxIdLength = 200;
const maxReasons = 10;

/** `$…` is the namespace of PostHog's own events, some of which change persons; the catalog knows the two that mean ours. */
const namePattern = /^[a-zA-Z$][a-zA-Z0-9_$ .:-]{0,99}$/;

const nameSchema = z
  .string()
  .trim()
  .regex(
    namePattern,
    'must begin with a letter, and have letters, digits, spaces and _ $ . : - only, 1-100 characters in all',
  );

const idSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(maxIdLength, `must not be longer than ${maxIdLength} characters`)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');

const timestampRule =
  'must be ISO 8601 with a zone, such as 2026-03-10T12:00:00Z, or milliseconds since 1970';

const optionalId = (description: string) => idSchema.nullish().describe(description);
const objectSchema = z.record(z.string(), z.unknown());

/** Null is as good as absent: a canonical event of ours has it where there is nothing. */
export const eventInputSchema = z.object({
  event: nameSchema.describe('The name, or an alias that the catalog knows; `eventName` is read as well'),
  id: z
    .string()
    .trim()
    .refine(isUuid, 'must be a UUID')
    .nullish()
    .describe('Any UUID; the idempotency key for 30 days. Absent: made, and told back'),
  timestamp: z
    .union([z.iso.datetime({ offset: true, error: timestampRule }), z.number()], timestampRule)
    .nullish()
    .describe(
      'Absent: now. More than 5 minutes ahead of our clock: now, and kept as context.client_timestamp',
    ),
  user_id: optionalId('The user, once it is known who it is'),
  distinct_id: optionalId('The visitor: the random id that the browser keeps'),
  session_id: optionalId('The visit'),
  entity_type: optionalId('What it happened to; needs entity_id. Events of one entity keep their order'),
  entity_id: optionalId('Its id'),
  correlation_id: optionalId('Ties together what one request caused'),
  source: z.enum(eventSources).nullish().describe('Absent: server'),
  schema_version: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullish()
    .describe("Of the event's schema. Absent: the newest"),
  properties: objectSchema.nullish().describe(`Up to ${maxPropertiesBytes / 1024} KB`),
  context: objectSchema
    .nullish()
    .describe(
      `Browser, page, UTM, click ids, ad ids, experiment variant; up to ${maxContextBytes / 1024} KB. Those keys move here from beside the envelope, and are copied from the properties`,
    ),
});

type Parsed = z.output<typeof eventInputSchema>;
type Present<T> = { readonly [Key in keyof T]?: NonNullable<T[Key]> };

export type EventInput = Present<Omit<Parsed, 'event' | 'properties' | 'context' | 'source'>> & {
  readonly name: string;
  readonly source?: EventSource;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  /** Keys beside the envelope that mean nothing to us, and were left out. */
  readonly ignored: readonly string[];
};

export type ReadEvent =
  | { readonly type: 'read'; readonly input: EventInput }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string };

const refused = (message: string, code: ErrorCode = 'event_malformed'): ReadEvent => ({
  type: 'refused',
  code,
  message: cutText(message, 1_000),
});

/** What our own log says of every event: nothing is lost where it comes back. */
const saidByTheLog: ReadonlySet<string> = new Set([
  'environment',
  'received_at',
  'organization_id',
  'eventName',
]);
const envelope: ReadonlySet<string> = new Set(Object.keys(eventInputSchema.shape));

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const utf8 = new TextEncoder();
const isLongerThan = (bytes: number, value: unknown): boolean => {
  const text = JSON.stringify(value);
  return text.length > bytes || (text.length * 3 > bytes && utf8.encode(text).length > bytes);
};

const withoutNulls = <T extends object>(given: T): Present<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value != null)) as Present<T>;

const reasonOf = (issue: z.core.$ZodIssue): string => {
  const path = issue.path.map(String).join('.');
  return issue.code === 'invalid_type' && issue.input === undefined && path === 'event'
    ? 'event: is missing; it holds the name'
    : `${path}: ${issue.message}`;
};

const tooLarge = (input: EventInput): string | null => {
  if (isLongerThan(maxPropertiesBytes, input.properties)) {
    return `properties: must not have more than ${maxPropertiesBytes / 1024} KB as JSON`;
  }
  return isLongerThan(maxContextBytes, input.context)
    ? `context: must not have more than ${maxContextBytes / 1024} KB as JSON`
    : null;
};

/** The keys beside the envelope: those of the context, and what is left over. */
const besideEnvelope = (given: Record<string, unknown>) => {
  const extras = Object.fromEntries(
    Object.entries(given).filter(([key, value]) => value != null && !envelope.has(key)),
  );
  const context = contextOf(extras);
  const ignored = Object.keys(extras).filter((key) => !Object.hasOwn(context, key) && !saidByTheLog.has(key));
  return { context, ignored };
};

/** One event of a request, whatever it is. Guarantees that what it reads can be stored. */
export const readEventInput = (given: unknown): ReadEvent => {
  if (!isPlainObject(given)) return refused('An event must be an object.');
  const unstorable = findUnstorable(given);
  if (unstorable !== null) return refused(`The event ${unstorable}.`);
  if (hasExtremeNumber(given)) {
    return refused(
      'The event must not hold a number beyond 1e30, or nearer to zero than 1e-30; send it as text.',
    );
  }
  const unsafe = findUnsafeKey(given);
  if (unsafe !== null) return refused(`The event must not have a key named ${unsafe}.`);
  const parsed = eventInputSchema.safeParse({ ...given, event: given.event ?? given.eventName });
  if (!parsed.success) {
    return refused(`${parsed.error.issues.slice(0, maxReasons).map(reasonOf).join('; ')}.`);
  }
  const { event: name, properties, context, ...rest } = withoutNulls(parsed.data) as Present<Parsed>;
  if ((rest.entity_type === undefined) !== (rest.entity_id === undefined)) {
    return refused('entity_type and entity_id: give both, or neither.');
  }
  const beside = besideEnvelope(given);
  // The documents list it among the properties of what a browser sends.
  const session = idSchema.safeParse(properties?.session_id);
  const input = {
    ...(session.success ? { session_id: session.data } : {}),
    ...rest,
    name: name as string,
    properties: properties ?? {},
    context: { ...contextOf(properties ?? {}), ...beside.context, ...context },
    ignored: beside.ignored,
  };
  const large = tooLarge(input);
  return large === null ? { type: 'read', input } : refused(`${large}.`, 'event_too_large');
};
