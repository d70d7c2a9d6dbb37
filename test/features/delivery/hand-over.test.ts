import { expect, test } from 'vitest';
import type { MadeDelivery } from '../../../src/domain/deliveries/route-events.ts';
import { createHandOver } from '../../../src/features/delivery/hand-over.ts';

const made = (seq: number, event: Partial<MadeDelivery['event']> = {}): MadeDelivery => ({
  seq,
  sinkId: 'a',
  event: {
    id: `event-${seq}`,
    event: 'something_happened',
    occurredAt: new Date(0),
    receivedAt: new Date(0),
    organizationId: 'o',
    userId: null,
    distinctId: null,
    sessionId: null,
    entityType: null,
    entityId: null,
    correlationId: null,
    source: 'server',
    environment: 'test',
    schemaVersion: 1,
    isKnown: true,
    properties: { kept: 1, replaced: 'by its sender' },
    context: {},
    derived: null,
    position: seq,
    xid: '1',
    receivedAtText: '1970-01-01 00:00:00+00',
    retentionClass: 'business',
    bytes: 100,
    ...event,
  },
});

test('an event is given away once: the next attempt reads it from the log', () => {
  const handOver = createHandOver();
  handOver.put([made(1)], new Map());
  expect(handOver.take(1)).toMatchObject({ id: 'event-1' });
  expect(handOver.take(1)).toBeUndefined();
});

test('it is as the log gives it: without its place, with what was derived, and as JSON tells it', () => {
  const handOver = createHandOver();
  const at = new Date(0);
  handOver.put([made(1)], new Map([[1, { replaced: 'derived', at, absent: undefined }]]));
  const event = handOver.take(1);
  expect(event?.properties).toEqual({ kept: 1, replaced: 'derived', at: '1970-01-01T00:00:00.000Z' });
  expect(Object.keys(event?.properties ?? {})).not.toContain('absent');
  for (const name of ['xid', 'position', 'derived', 'bytes']) expect(event).not.toHaveProperty(name);
});

test('a large one is not kept, and no more than a bounded number, of which the oldest stay', () => {
  const handOver = createHandOver();
  handOver.put([made(1, { bytes: 2_001 })], new Map());
  expect(handOver.take(1)).toBeUndefined();
  handOver.put(
    Array.from({ length: 10_001 }, (_, n) => made(n)),
    new Map(),
  );
  expect(handOver.take(10_000)).toBeUndefined();
  expect(handOver.take(0)).toMatchObject({ id: 'event-0' });
});
