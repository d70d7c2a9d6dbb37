/** What a tenant may repair by itself: deliveries to its own endpoints, so many at a time. */
import { RendermillError } from '../../core/errors.ts';
import { countReplay, replay, retryDead } from '../../domain/deliveries/redrive.ts';
import { getWebhook } from '../../domain/deliveries/webhook-endpoints.ts';
import { findEvents } from '../../domain/events/list-events.ts';
import type { Database } from '../../platform/db/client.ts';

/** Of one request: what is more would take longer than a client waits. */
const mostAtOnce = 100_000;
const longestDays = 31;
const dayMs = 24 * 3_600_000;

export interface RetryOrder {
  readonly organizationId: string;
  readonly webhookId?: string | undefined;
  readonly eventId?: string | undefined;
}

/** Throws `not_found` for an endpoint or an event that is not the organization's. */
export const retryOwn = async (
  db: Database,
  { organizationId, webhookId, eventId }: RetryOrder,
  now: Date,
): Promise<{ retried: number; more: boolean }> => {
  const webhook =
    webhookId === undefined ? undefined : await getWebhook(db, { organizationId, id: webhookId });
  if (eventId !== undefined && (await findEvents(db, eventId, organizationId)).length === 0) {
    throw new RendermillError('not_found', { message: `There is no event "${eventId}".` });
  }
  const filter = { ownerId: organizationId, sinkId: webhook?.id, eventId };
  const retried = await retryDead(db, filter, now, mostAtOnce);
  return { retried, more: retried === mostAtOnce };
};

export interface ReplayOrder {
  readonly organizationId: string;
  readonly webhookId: string;
  readonly from: Date;
  readonly until: Date;
}

const assertRange = ({ from, until }: ReplayOrder): void => {
  if (from >= until) {
    throw new RendermillError('invalid_request', {
      message: 'The time to send again is empty: until must be later than from.',
    });
  }
  if (until.getTime() - from.getTime() > longestDays * dayMs) {
    throw new RendermillError('replay_too_large', {
      message: `A replay may span ${longestDays} days at most; ask for the parts one after the other.`,
      details: { longestDays },
    });
  }
};

/** Throws `not_found` for an endpoint that is not the organization's, `replay_too_large` for more than one request may ask for. */
export const replayOwn = async (
  db: Database,
  order: ReplayOrder,
  now: Date,
): Promise<{ events: number; made: number }> => {
  const { organizationId, webhookId, from, until } = order;
  const webhook = await getWebhook(db, { organizationId, id: webhookId });
  assertRange(order);
  const range = { sinkId: webhook.id, organizationId, from, until };
  const events = await countReplay(db, range);
  if (events > mostAtOnce) {
    throw new RendermillError('replay_too_large', {
      message: `${events} events were received in that time, and ${mostAtOnce} may be sent again at once; ask for shorter parts of it.`,
      details: { events, mostAtOnce },
    });
  }
  return { events, made: await replay(db, range, now) };
};
