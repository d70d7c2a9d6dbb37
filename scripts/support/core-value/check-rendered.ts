import type { ExportRecord } from '../../../src/client/types.ts';
import type { LoggedEvent } from '../../../src/domain/events/read-events.ts';
import type { Checklist } from '../checklist.ts';
import { readPicture } from '../read-picture.ts';

export interface RenderedFile {
  readonly record: ExportRecord;
  /** As they were downloaded. */
  readonly bytes: Buffer;
}

export const eventsNamed = (events: readonly LoggedEvent[], name: string, of: Record<string, unknown> = {}) =>
  events.filter(
    ({ event, properties }) =>
      event === name && Object.entries(of).every(([key, value]) => properties[key] === value),
  );

/** As JSON.stringify writes a date, and as nothing else does. */
export const isTime = (value: unknown): boolean =>
  typeof value === 'string' &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value &&
  Math.abs(Date.now() - Date.parse(value)) < 3_600_000;

/** One `video_rendered` for each of these, with values that are those of the file itself. */
export const checkRendered = (
  list: Checklist,
  events: readonly LoggedEvent[],
  files: readonly RenderedFile[],
  { cached }: { cached: boolean },
): void => {
  const found = files.map(({ record }) => eventsNamed(events, 'video_rendered', { exportId: record.id }));
  list.check(
    'video_rendered, of each export',
    found.map((one) => one.length),
    files.map(() => 1),
  );
  const pairs = files.flatMap((file, index) => {
    const [event] = found[index] ?? [];
    return event === undefined ? [] : [{ ...file, event, picture: readPicture(file.bytes) }];
  });
  type Pair = (typeof pairs)[number];
  const each = (what: string, value: (pair: Pair) => unknown, expected: (pair: Pair) => unknown) =>
    list.check(what, pairs.map(value), pairs.map(expected));
  const eachIs = (what: string, name: string, expected: (pair: Pair) => unknown) =>
    each(what, ({ event }) => event.properties[name], expected);

  eachIs('width, as the header of the file has it', 'width', ({ picture }) => picture.width);
  eachIs('height, as the header of the file has it', 'height', ({ picture }) => picture.height);
  eachIs('format, as the first bytes have it', 'format', ({ picture }) => picture.format);
  eachIs('sizeInBytes, as they lie on this disk', 'sizeInBytes', ({ bytes }) => bytes.length);
  eachIs('compositionId', 'compositionId', ({ record }) => record.compositionId);
  eachIs('userId', 'userId', ({ record }) => record.userId);
  eachIs('projectId', 'projectId', ({ record }) => record.projectId);
  eachIs('batchId', 'batchId', ({ record }) => record.batchId ?? undefined);
  eachIs('renderMode', 'renderMode', () => 'local');
  eachIs('cached', 'cached', () => (cached ? true : undefined));
  const durations = pairs.map(({ event }) => event.properties.duration);
  list.fits(
    'duration, milliseconds of rendering',
    durations,
    cached ? 'numbers' : 'between 1 ms and 60 s',
    durations.every((ms) => typeof ms === 'number' && (cached ? ms >= 0 : ms >= 1) && ms < 60_000),
  );
  const times = pairs.map(({ event }) => event.properties.timestamp);
  list.fits('timestamp', times, 'ISO 8601 of this hour', times.every(isTime));
  each(
    'envelope: user, entity, source',
    ({ event }) => [event.userId, event.entityType, event.entityId, event.source],
    ({ record }) => [record.userId, 'export', record.id, 'worker'],
  );
};
