/** What a tenant was told through a webhook, as an event of its own. */
import type { NewEvent } from '../../core/events/new-event.ts';
import type { Tx } from '../../platform/db/client.ts';
import { emitAll } from '../events/emit.ts';
import type { Outcome } from './outcome.ts';

/** The ends that people wait for. `notification_sent` itself is none of them. */
const awaited: ReadonlySet<string> = new Set([
  'processing_completed',
  'processing_failed',
  'batch_completed',
  'batch_failed',
  'batch_cancelled',
]);

export const emitNotifications = async (
  tx: Tx,
  sinkId: string,
  outcomes: readonly Outcome[],
  now: Date,
): Promise<void> => {
  const told = outcomes.flatMap(({ delivery, state }) =>
    state === 'delivered' && delivery.event !== null && awaited.has(delivery.eventName)
      ? [delivery.event]
      : [],
  );
  await emitAll(
    tx,
    told.map((event): NewEvent<'notification_sent'> => {
      const { job_id } = event.properties;
      return {
        name: 'notification_sent',
        organizationId: event.organizationId,
        source: 'server',
        occurredAt: now,
        properties: {
          channel: 'webhook',
          notified_event: event.event,
          notified_event_id: event.id,
          sink_id: sinkId,
          ...(typeof job_id === 'string' ? { job_id } : {}),
        },
        ...(event.userId === null ? {} : { userId: event.userId }),
        ...(event.entityId === null ? {} : { entity: { type: event.entityType ?? '', id: event.entityId } }),
        ...(event.correlationId === null ? {} : { correlationId: event.correlationId }),
      };
    }),
  );
};
