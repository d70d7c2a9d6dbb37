/** One event changes what is known of people, and is told what is known of its own. Pure but for the state that it is given. */
import { consentOf, newerConsent, nothingStated, statedIn } from '../../core/identity/consent.ts';
import { isNewTouch, touchOf } from '../../core/identity/touch.ts';
import type { PersonFacts } from '../../core/projection/person-facts.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import { happenedAt, isConsent, linkIn, showsVisitor } from './event-facts.ts';
import { addStatement, link, type People, statementOf, type Visitor } from './people.ts';
import { keyOf } from './person-key.ts';

const earlier = (one: Date, other: Date): Date => (one < other ? one : other);
const later = (one: Date, other: Date): Date => (one < other ? other : one);

const seeVisitor = (people: People, event: LoggedEvent): void => {
  const { organizationId, distinctId } = event;
  if (distinctId === null || !showsVisitor(event)) return;
  const key = keyOf(organizationId, distinctId);
  const at = happenedAt(event);
  const before: Visitor = people.visitors.get(key) ?? {
    organizationId,
    distinctId,
    firstSeenAt: at,
    lastSeenAt: at,
    firstTouch: null,
    lastTouch: null,
  };
  const touch = touchOf(event);
  people.visitors.set(key, {
    ...before,
    firstSeenAt: earlier(before.firstSeenAt, at),
    lastSeenAt: later(before.lastSeenAt, at),
    firstTouch: before.firstTouch ?? touch,
    lastTouch: touch && isNewTouch(touch, before.lastTouch) ? touch : before.lastTouch,
  });
  people.changedVisitors.add(key);
};

const linkedUser = (people: People, { organizationId, distinctId }: LoggedEvent): string | null =>
  distinctId === null ? null : (people.links.get(keyOf(organizationId, distinctId)) ?? null);

/** Where this page or another transaction has linked the visitor, the event from which on it counts. */
const followLink = (people: People, event: LoggedEvent, linkedHere: ReadonlySet<string>): void => {
  const { organizationId, distinctId, userId } = event;
  if (distinctId === null || userId === null) return;
  const linksHere = linkIn(event) !== null && linkedHere.has(keyOf(organizationId, distinctId));
  const linksNow = linksHere && linkedUser(people, event) === null;
  const tellsOfLink = event.event === 'identity_linked' && linkedUser(people, event) === userId;
  if (linksNow || tellsOfLink) link(people, { organizationId, distinctId, userId });
};

/** Of a browser, which may name any user, only its visitor is believed. */
const hearConsent = (people: People, event: LoggedEvent): void => {
  if (!isConsent(event)) return;
  const { organizationId, distinctId, source } = event;
  const stated = statedIn(event.properties, happenedAt(event));
  if (distinctId !== null) addStatement(people, { organizationId, kind: 'visitor', id: distinctId }, stated);
  const user = (source === 'web' ? null : event.userId) ?? linkedUser(people, event);
  if (user !== null) addStatement(people, { organizationId, kind: 'user', id: user }, stated);
};

const visitorsOfUser = (people: People, organizationId: string, userId: string | null): Visitor[] =>
  userId === null
    ? []
    : (people.visitorsOf.get(keyOf(organizationId, userId)) ?? []).flatMap(
        (id) => people.visitors.get(keyOf(organizationId, id)) ?? [],
      );

const touchesOf = (people: People, event: LoggedEvent, userId: string | null) => {
  const own =
    event.distinctId === null
      ? undefined
      : people.visitors.get(keyOf(event.organizationId, event.distinctId));
  if (own?.firstTouch) return { firstTouch: own.firstTouch, lastTouch: own.lastTouch };
  const visitors = visitorsOfUser(people, event.organizationId, userId);
  const first = visitors.find((visitor) => visitor.firstTouch !== null);
  const last = visitors
    .filter((visitor) => visitor.lastTouch !== null)
    .reduce<Visitor | undefined>(
      (newest, visitor) => (newest && newest.lastSeenAt >= visitor.lastSeenAt ? newest : visitor),
      undefined,
    );
  return { firstTouch: first?.firstTouch ?? null, lastTouch: last?.lastTouch ?? null };
};

const factsOf = (people: People, event: LoggedEvent): PersonFacts => {
  const { organizationId, distinctId } = event;
  const userId = event.userId ?? linkedUser(people, event);
  const said = [
    userId === null ? nothingStated : statementOf(people, { organizationId, kind: 'user', id: userId }),
    distinctId === null
      ? nothingStated
      : statementOf(people, { organizationId, kind: 'visitor', id: distinctId }),
  ];
  return {
    userId,
    distinctId,
    ...touchesOf(people, event, userId),
    consent: consentOf(said.reduce(newerConsent)),
  };
};

/** `linkedHere`: visitors (by `keyOf`) whose link is made by an event of this page. */
export const absorbEvent = (
  people: People,
  event: LoggedEvent,
  linkedHere: ReadonlySet<string>,
): PersonFacts => {
  seeVisitor(people, event);
  followLink(people, event, linkedHere);
  hearConsent(people, event);
  return factsOf(people, event);
};
