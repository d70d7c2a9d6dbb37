import type { LoggedEvent } from '../domain/events/read-events.ts';

const shown = [
  'compositionId',
  'kind',
  'format',
  'width',
  'height',
  'sizeInBytes',
  'duration',
  'attempt',
  'fileCount',
  'error_code',
  'failure_reason',
] as const;

const unitOf: Readonly<Record<string, string>> = { duration: 'ms' };

/** Time, organization, event, user, entity, and what a person would ask next. */
export const formatEventLine = (event: LoggedEvent): string => {
  const facts = shown
    .filter((name) => event.properties[name] !== undefined)
    .map((name) => `${name}=${oneWord(event.properties[name])}${unitOf[name] ?? ''}`);
  const entity = event.entityId === null ? '-' : `${event.entityType}:${event.entityId}`;
  const columns = [
    event.occurredAt.toISOString(),
    event.organizationId,
    event.event.padEnd(22),
    event.userId ?? '-',
    entity,
  ];
  return [...columns, ...facts].join('  ');
};

/** A reason may hold line breaks and control characters of whoever wrote it; a line of the log is one line. */
const oneWord = (value: unknown): string => {
  const text = String(value);
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
};
