/** Whether an event from elsewhere may enter the log, and as which row. Decides purely; what it needs to know was read before. */
import type { ErrorCode } from '../../core/errors.ts';
import { definitionOf, type EventName, resolveEventName } from '../../core/events/catalog.ts';
import type { EventSource, RetentionClass } from '../../core/events/define-event.ts';
import { entityOfProperties } from '../../core/events/event-entity.ts';
import type { EventInput } from '../../core/events/event-input.ts';
import { judgeEventTime } from '../../core/events/event-time.ts';
import { validateProperties } from '../../core/events/validate-properties.ts';
import { newId } from '../../core/ids.ts';
import { cutText } from '../../core/storable-text.ts';
import type { LogRow } from './append-events.ts';
import type { OwnDefinition } from './own-definition.ts';
import { type JudgeProperties, schemaBudgetMs } from './own-schema.ts';

export interface Sender {
  readonly organizationId: string;
  /** A browser: anybody may hold its key. It speaks for a visitor only, and from the web only. */
  readonly isPublic: boolean;
  readonly unknownEvents: 'mark' | 'refuse';
}

/** What was noticed about an event that was taken. */
export type EventMark = 'alias' | 'unknown_event' | 'clock_adjusted' | 'ignored_fields';

export interface Refusal {
  readonly type: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Taken {
  readonly type: 'row';
  readonly row: LogRow;
  readonly marks: readonly EventMark[];
  /** What the sender should know all the same. */
  readonly note?: string;
}

export type Judgement = Taken | Refusal;

export interface JudgeKnowledge {
  readonly sender: Sender;
  readonly now: Date;
  /** All that was found of the organization's own events, by name. */
  readonly own: ReadonlyMap<string, readonly OwnDefinition[]>;
  readonly judgeOwn: JudgeProperties;
}

/** What the catalog, the organization or nobody says of the event's name. */
interface Meaning {
  readonly name: string;
  readonly schemaVersion: number;
  readonly retention: RetentionClass;
  readonly isKnown: boolean;
  readonly properties: unknown;
}

const refuse = (code: ErrorCode, message: string): Refusal => ({
  type: 'refused',
  code,
  message: cutText(message, 2_000),
});
const isRefusal = (value: Meaning | Refusal): value is Refusal => 'type' in value;

const sourceRefusal = (
  name: string,
  source: EventSource,
  allowed: readonly EventSource[],
): Refusal | undefined =>
  allowed.includes(source)
    ? undefined
    : refuse('event_source_refused', `${name} may come from ${allowed.join(' or ')}, not from ${source}.`);

const misfits = (name: string, reasons: readonly string[]): Refusal =>
  refuse('event_misfits', `${name} does not fit its schema: ${reasons.join('; ')}.`);

const meaningOfOurs = (name: EventName, input: EventInput, source: EventSource): Meaning | Refusal => {
  const definition = definitionOf(name);
  if (definition.ownedByService) {
    return refuse('event_owned_by_service', `${name} is recorded by Rendermill itself, when it happens.`);
  }
  const notFrom = sourceRefusal(name, source, definition.sources);
  if (notFrom) return notFrom;
  const checked = validateProperties(name, input.properties);
  if (!checked.ok) return misfits(name, checked.reasons);
  return {
    name,
    // A change only ever adds: an older one fits, and a newer one is kept as what it says it is.
    schemaVersion: input.schema_version ?? definition.schemaVersion,
    retention: definition.retention,
    isKnown: true,
    properties: checked.properties,
  };
};

const meaningOfOwn = (
  versions: readonly OwnDefinition[],
  input: EventInput,
  source: EventSource,
  judgeOwn: JudgeProperties,
): Meaning | Refusal | undefined => {
  const newest = versions.toSorted((a, b) => b.schema_version - a.schema_version)[0];
  if (!newest) return undefined;
  const named = versions.find((one) => one.schema_version === input.schema_version) ?? newest;
  const notFrom = sourceRefusal(newest.name, source, newest.sources as EventSource[]);
  if (notFrom) return notFrom;
  const verdict = judgeOwn(named, input.properties);
  if (verdict.type === 'misfits') return misfits(newest.name, verdict.reasons);
  if (verdict.type === 'too_slow') {
    return refuse(
      'event_schema_too_slow',
      `The schema of ${newest.name} took too long, or those of this request took more than ${schemaBudgetMs} ms together: look for a pattern that backtracks without end, or send fewer events at once.`,
    );
  }
  return {
    name: newest.name,
    schemaVersion: input.schema_version ?? newest.schema_version,
    retention: newest.retention_class,
    isKnown: true,
    properties: input.properties,
  };
};

const meaningOfUnknown = (input: EventInput, source: EventSource, sender: Sender): Meaning | Refusal => {
  const { name } = input;
  if (name.startsWith('$')) {
    return refuse(
      'event_unknown',
      `"${name}" is not in the catalog, and names with $ belong to PostHog, where some of them change persons.`,
    );
  }
  if (sender.unknownEvents === 'refuse') {
    return refuse(
      'event_unknown',
      `"${name}" is in no catalog. Define it with PUT /api/v1/catalog/events/${encodeURIComponent(name)}, or set unknownEvents to "mark".`,
    );
  }
  return {
    name,
    schemaVersion: input.schema_version ?? 1,
    retention: source === 'web' ? 'behaviour' : 'business',
    isKnown: false,
    properties: input.properties,
  };
};

const meaningOf = (
  input: EventInput,
  source: EventSource,
  { sender, own, judgeOwn }: JudgeKnowledge,
): Meaning | Refusal => {
  const ours = resolveEventName(input.name);
  if (ours !== undefined) return meaningOfOurs(ours, input, source);
  return (
    meaningOfOwn(own.get(input.name) ?? [], input, source, judgeOwn) ??
    meaningOfUnknown(input, source, sender)
  );
};

/** Anybody can read a browser's key: what it says must not be able to name a user, or to get among the events of a thing. */
const publicRefusal = (input: EventInput): Refusal | undefined => {
  if (input.user_id !== undefined) {
    return refuse(
      'forbidden',
      'user_id is not taken from a publishable key: identify the visitor with a token that your backend has signed.',
    );
  }
  if (input.entity_id !== undefined || input.correlation_id !== undefined) {
    return refuse(
      'forbidden',
      'entity_type, entity_id and correlation_id are not taken from a publishable key.',
    );
  }
  return input.distinct_id === undefined
    ? refuse('event_malformed', 'distinct_id: is missing; a browser says which visitor it is.')
    : undefined;
};

/** A browser's events keep the order of their visitor. */
const entityOf = (input: EventInput, source: EventSource): { type: string; id: string } | undefined => {
  if (input.entity_type !== undefined && input.entity_id !== undefined) {
    return { type: input.entity_type, id: input.entity_id };
  }
  return source === 'web' ? undefined : entityOfProperties(input.properties);
};

const rowOf = (
  input: EventInput,
  { sender, now }: JudgeKnowledge,
  given: { source: EventSource; meaning: Meaning; at: Date; claimed: string | undefined },
): LogRow => {
  const { source, meaning, at, claimed } = given;
  const entity = entityOf(input, source);
  return {
    id: (input.id ?? newId(now)).toLowerCase(),
    event_name: meaning.name,
    occurred_at: at,
    organization_id: sender.organizationId,
    user_id: input.user_id ?? null,
    distinct_id: input.distinct_id ?? null,
    session_id: input.session_id ?? null,
    entity_type: entity?.type ?? null,
    entity_id: entity?.id ?? null,
    correlation_id: input.correlation_id ?? null,
    source,
    schema_version: meaning.schemaVersion,
    properties: meaning.properties,
    context: claimed === undefined ? input.context : { ...input.context, client_timestamp: claimed },
    retention_class: meaning.retention,
    is_known: meaning.isKnown,
  };
};

const take = (input: EventInput, row: LogRow, isAdjusted: boolean): Taken => {
  const marks: readonly (EventMark | false)[] = [
    row.is_known && row.event_name !== input.name && 'alias',
    !row.is_known && 'unknown_event',
    isAdjusted && 'clock_adjusted',
    input.ignored.length > 0 && 'ignored_fields',
  ];
  const ignored = cutText(input.ignored.join(', '), 200);
  return {
    type: 'row',
    row,
    marks: marks.filter((mark) => mark !== false),
    ...(ignored === '' ? {} : { note: `Left out, since only properties may have any name: ${ignored}.` }),
  };
};

export const judgeEvent = (input: EventInput, knowledge: JudgeKnowledge): Judgement => {
  const { sender, now } = knowledge;
  const source = input.source ?? 'server';
  const notPublic = sender.isPublic
    ? (publicRefusal(input) ?? sourceRefusal('What a publishable key sends', source, ['web']))
    : undefined;
  if (notPublic) return notPublic;
  const time = judgeEventTime(input.timestamp, now);
  if (time.type === 'refused') return refuse('event_malformed', `${time.reason}.`);
  const meaning = meaningOf(input, source, knowledge);
  if (isRefusal(meaning)) return meaning;
  const { at, claimed } = time;
  return take(input, rowOf(input, knowledge, { source, meaning, at, claimed }), claimed !== undefined);
};
