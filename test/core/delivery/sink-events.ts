/** Events as a sink gets them. */
import type { SinkEvent } from '../../../src/core/delivery/sink-event.ts';

let made = 0;

/** Deterministic, and different for each event. */
export const eventId = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const sinkEvent = (given: Partial<SinkEvent> = {}): SinkEvent => ({
  id: eventId(++made),
  event: 'export_downloaded',
  occurredAt: new Date('2026-03-10T11:59:00.000Z'),
  receivedAt: new Date('2026-03-10T11:59:01.000Z'),
  organizationId: 'acme',
  userId: 'u1',
  distinctId: null,
  sessionId: null,
  entityType: null,
  entityId: null,
  correlationId: null,
  source: 'server',
  environment: 'test',
  schemaVersion: 1,
  isKnown: true,
  properties: {},
  context: {},
  consent: { adsAllowed: null, analyticsAllowed: null },
  ...given,
});
