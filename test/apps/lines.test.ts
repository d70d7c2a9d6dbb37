import { expect, it } from 'vitest';
import { compositionRow } from '../../src/apps/cli/commands/compositions.ts';
import { formatEventLine } from '../../src/apps/event-line.ts';

it('a line of an event says in what a duration is', () => {
  const at = new Date('2026-01-01T00:00:00Z');
  const line = formatEventLine({
    id: 'e',
    event: 'video_rendered',
    occurredAt: at,
    receivedAt: at,
    organizationId: 'acme',
    userId: 'ada',
    distinctId: null,
    sessionId: null,
    context: {},
    derived: null,
    isKnown: true,
    entityType: 'export',
    entityId: 'x',
    correlationId: null,
    source: 'worker',
    environment: 'test',
    schemaVersion: 1,
    properties: { duration: 1061, width: 10 },
    position: 1,
  });
  expect(line).toBe(
    '2026-01-01T00:00:00.000Z  acme  video_rendered          ada  export:x  width=10  duration=1061ms',
  );
});

it.each([
  [1, 30, 'still'],
  [90, 30, '3'],
  [null, 30, '?'],
  [90, null, '?'],
])('a composition of %s frames at %s per second is shown as %s', (durationInFrames, fps, seconds) => {
  const shape = { id: 'a', width: 1, height: 1, hasCalculateMetadata: false, propsSchema: null };
  expect(compositionRow({ ...shape, fps, durationInFrames }).seconds).toBe(seconds);
});
