import type { LoggedEvent } from '../events/read-events.ts';
import { isDeletion } from './event-facts.ts';
import { keyOf } from './person-key.ts';

/**
 * Cuts a page where an event may be of somebody who was deleted earlier in it: what comes after a deletion is a new person's. Events
 * of others stay together, so that a thousand deletions are one part.
 */
export const splitAtDeletions = (events: readonly LoggedEvent[]): LoggedEvent[][] => {
  const parts: LoggedEvent[][] = [];
  let part: LoggedEvent[] = [];
  let organizations = new Set<string>();
  let users = new Set<string>();
  const begin = () => {
    if (part.length > 0) parts.push(part);
    part = [];
    organizations = new Set();
    users = new Set();
  };
  for (const event of events) {
    const mayBeVisitor = event.distinctId !== null && organizations.has(event.organizationId);
    const isUser = event.userId !== null && users.has(keyOf(event.organizationId, event.userId));
    if (mayBeVisitor || isUser) begin();
    part.push(event);
    if (isDeletion(event)) {
      organizations.add(event.organizationId);
      if (event.userId !== null) users.add(keyOf(event.organizationId, event.userId));
    }
  }
  begin();
  return parts;
};
