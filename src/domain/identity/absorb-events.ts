import type { PersonFacts } from '../../core/projection/person-facts.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import { absorbEvent } from './absorb-event.ts';
import { happenedAt, isDeletion, linkIn } from './event-facts.ts';
import { linkVisitors } from './link-visitor.ts';
import { loadPeople } from './load-people.ts';
import { type Deletion, openErasures } from './open-erasures.ts';
import type { People } from './people.ts';
import { keyOf } from './person-key.ts';
import { splitAtDeletions } from './split-at-deletions.ts';
import { writePeople } from './write-people.ts';

const deletionIn = (people: People, event: LoggedEvent): Deletion[] => {
  if (!isDeletion(event)) return [];
  const { organizationId, id, position, distinctId } = event;
  const linked = distinctId === null ? undefined : people.links.get(keyOf(organizationId, distinctId));
  const userId = event.userId ?? linked ?? null;
  const isOthers = linked !== undefined && linked !== userId;
  if (userId === null && distinctId === null) return [];
  const deletedAt = happenedAt(event);
  return [{ organizationId, id, position, deletedAt, userId, distinctId: isOthers ? null : distinctId }];
};

const absorbPart = async (
  tx: Tx,
  events: readonly LoggedEvent[],
  now: Date,
  facts: Map<number, PersonFacts>,
): Promise<void> => {
  // First of all: the link of another transaction, on which this may wait, is met before anything of people is read or locked.
  const links = await linkVisitors(
    tx,
    events.flatMap((event) => linkIn(event) ?? []),
  );
  const linkedHere = new Set([...links].flatMap(([key, linked]) => (linked.isNew ? [key] : [])));
  const people = await loadPeople(tx, events, linkedHere);
  const deletions: Deletion[] = [];
  for (const event of events) {
    facts.set(event.position, absorbEvent(people, event, linkedHere));
    deletions.push(...deletionIn(people, event));
  }
  await writePeople(tx, people);
  await openErasures(tx, deletions, now);
};

/**
 * What the projector's page says of people: visitors, touches, links, consent, and who asked to be forgotten. One caller at a time, in
 * the order of the log; a page that is read again changes nothing. Returns what is known of each event's person at that event, by
 * position.
 */
export const absorbEvents = async (
  tx: Tx,
  events: readonly LoggedEvent[],
  now: Date,
): Promise<ReadonlyMap<number, PersonFacts>> => {
  const facts = new Map<number, PersonFacts>();
  for (const part of splitAtDeletions(events)) await absorbPart(tx, part, now, facts);
  return facts;
};
