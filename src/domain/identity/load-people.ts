import { sql } from 'kysely';
import { prepared, type Tx } from '../../platform/db/client.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import { type Person, readStatements } from './consent-rows.ts';
import { type KnownLink, knowLink, noPeople, type People, type Visitor } from './people.ts';
import { keyOf } from './person-key.ts';

/** Of a user with more visitors, the first linked one and this many of the newest are looked at. */
const visitorsLookedAt = 20;

interface Id {
  readonly organizationId: string;
  readonly id: string;
}

const distinct = (ids: readonly Id[]): Id[] => [
  ...new Map(ids.map((one) => [keyOf(one.organizationId, one.id), one])).values(),
];

/** As rows of a statement. */
const rowsOf = (ids: readonly Id[]) =>
  sql`unnest(${ids.map((one) => one.organizationId)}::text[], ${ids.map((one) => one.id)}::text[])`;

const loadLinksOfVisitors = async (tx: Tx, visitors: readonly Id[]): Promise<KnownLink[]> => {
  if (visitors.length === 0) return [];
  const { rows } = await sql<KnownLink>`${prepared}
    SELECT organization_id AS "organizationId", distinct_id AS "distinctId", user_id AS "userId"
    FROM identity_link JOIN ${rowsOf(visitors)} AS given (organization_id, distinct_id) USING (organization_id, distinct_id)`.execute(
    tx,
  );
  return rows;
};

/** In the order in which they were linked. */
const loadLinksOfUsers = async (tx: Tx, users: readonly Id[]): Promise<KnownLink[]> => {
  if (users.length === 0) return [];
  const { rows } = await sql<KnownLink>`${prepared}
    SELECT given.organization_id AS "organizationId", distinct_id AS "distinctId", given.user_id AS "userId"
    FROM ${rowsOf(users)} AS given (organization_id, user_id) CROSS JOIN LATERAL (
      (SELECT distinct_id, linked_at FROM identity_link l
        WHERE l.organization_id = given.organization_id AND l.user_id = given.user_id ORDER BY linked_at LIMIT 1)
      UNION
      (SELECT distinct_id, linked_at FROM identity_link l
        WHERE l.organization_id = given.organization_id AND l.user_id = given.user_id
        ORDER BY linked_at DESC LIMIT ${visitorsLookedAt})
    ) AS link ORDER BY link.linked_at, distinct_id`.execute(tx);
  return rows;
};

const loadVisitors = async (tx: Tx, visitors: readonly Id[]): Promise<Visitor[]> => {
  if (visitors.length === 0) return [];
  const { rows } = await sql<Visitor>`${prepared}
    SELECT organization_id AS "organizationId", distinct_id AS "distinctId", first_seen_at AS "firstSeenAt",
      last_seen_at AS "lastSeenAt", first_touch AS "firstTouch", last_touch AS "lastTouch"
    FROM visitor JOIN ${rowsOf(visitors)} AS given (organization_id, distinct_id) USING (organization_id, distinct_id)`.execute(
    tx,
  );
  return rows;
};

const peopleOf = (visitors: readonly Id[], users: readonly Id[]): Person[] => [
  ...visitors.map((one) => ({ ...one, kind: 'visitor' as const })),
  ...users.map((one) => ({ ...one, kind: 'user' as const })),
];

/**
 * Everything that is known of the people of these events, with four statements at most; `linkedHere` are the visitors (by `keyOf`) that one of
 * the events has linked: these are nobody's until that event comes.
 */
export const loadPeople = async (
  tx: Tx,
  events: readonly LoggedEvent[],
  linkedHere: ReadonlySet<string>,
): Promise<People> => {
  const visitors = distinct(
    events.flatMap(({ organizationId, distinctId }) =>
      distinctId === null ? [] : [{ organizationId, id: distinctId }],
    ),
  );
  const ofVisitors = await loadLinksOfVisitors(tx, visitors);
  const users = distinct([
    ...events.flatMap(({ organizationId, userId }) =>
      userId === null ? [] : [{ organizationId, id: userId }],
    ),
    ...ofVisitors.map(({ organizationId, userId }) => ({ organizationId, id: userId })),
  ]);
  const people = noPeople();
  const links = [...(await loadLinksOfUsers(tx, users)), ...ofVisitors];
  for (const link of links) {
    if (!linkedHere.has(keyOf(link.organizationId, link.distinctId))) knowLink(people, link);
  }
  const known = distinct([
    ...visitors,
    ...links.map(({ organizationId, distinctId }) => ({ organizationId, id: distinctId })),
  ]);
  for (const visitor of await loadVisitors(tx, known)) {
    people.visitors.set(keyOf(visitor.organizationId, visitor.distinctId), visitor);
  }
  const statements = await readStatements(tx, peopleOf(visitors, users));
  for (const [key, statement] of statements) people.statements.set(key, statement);
  return people;
};
