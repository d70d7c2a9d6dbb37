import type { EarlierAttempt } from '../../core/delivery/poison.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { DueDelivery } from './due-deliveries.ts';

export interface Attempts {
  /** Since it was made, or tried again by hand; the oldest first. */
  readonly earlier: readonly EarlierAttempt[];
  /** When the sink last accepted anything; null: never. */
  readonly acceptedAt: Date | null;
}

/** Of a delivery: what came of its attempts, and how its sink is otherwise. */
export const readAttempts = async (
  db: Reader,
  sinkId: string,
  { organizationId, eventId, attempts }: Pick<DueDelivery, 'organizationId' | 'eventId' | 'attempts'>,
): Promise<Attempts> => {
  const row = await db
    .selectFrom('event_delivery')
    .innerJoin('event_sink', 'event_sink.id', 'event_delivery.sink_id')
    .select(['event_delivery.attempt_log', 'event_sink.last_success_at'])
    .where('event_delivery.sink_id', '=', sinkId)
    .where('event_delivery.organization_id', '=', organizationId)
    .where('event_delivery.event_id', '=', eventId)
    .executeTakeFirst();
  // The log also keeps what was tried before it was tried again by hand.
  const log = attempts === 0 ? [] : (row?.attempt_log.slice(-attempts) ?? []);
  return {
    earlier: log.map(({ at, status }) => ({ at: new Date(at), status })),
    acceptedAt: row?.last_success_at ?? null,
  };
};
