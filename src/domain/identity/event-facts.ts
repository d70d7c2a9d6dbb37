/** What the log's events say of people, one at a time. */
import { definitionOf, isEventName } from '../../core/events/catalog.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import type { LinkRequest } from './link-visitor.ts';

/** An event that names who its visitor is. From a browser anybody could say so: there it takes a token, see identity-token.ts. */
const linkingEvents: ReadonlyMap<string, LinkRequest['method']> = new Map([
  ['login_success', 'login_success'],
  ['identify', 'identify'],
  ['$identify', 'identify'],
]);

/** No later than it was received: a clock that goes ahead must not outdo everything that follows. */
export const happenedAt = ({ occurredAt, receivedAt }: LoggedEvent): Date =>
  occurredAt < receivedAt ? occurredAt : receivedAt;

export const linkIn = (event: LoggedEvent): LinkRequest | null => {
  const { organizationId, distinctId, userId, source } = event;
  const method = linkingEvents.get(event.event);
  if (method === undefined || source === 'web' || distinctId === null || userId === null) return null;
  return { organizationId, distinctId, userId, method, at: happenedAt(event) };
};

export const isConsent = (event: LoggedEvent): boolean => event.event === 'cookie_consent_updated';

export const isDeletion = (event: LoggedEvent): boolean =>
  event.event === 'account_deleted' && event.source !== 'web';

/** What our own service concluded shows nobody to be there. */
export const showsVisitor = (event: LoggedEvent): boolean =>
  event.distinctId !== null &&
  !(isEventName(event.event) && definitionOf(event.event).ownedByService === true);
