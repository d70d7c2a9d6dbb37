/** Names of events that an organization can meet: those of the catalog, its own, and those that are in its log. */
import { sql } from 'kysely';
import { isBeginning, matchesNames } from '../../core/delivery/match-names.ts';
import { eventCatalog } from '../../core/events/catalog.ts';
import { similarNames } from '../../core/events/similar-names.ts';
import type { Reader } from '../../platform/db/client.ts';

/** So many names of a log are looked through: anybody may send as many as they like. */
const mostSeen = 200;
/** For so many unknown names it is looked for what may have been meant, and among so many: to compare them costs more than all the rest. */
const mostCompared = 3;
const mostComparedWith = 300;

const ownNames = async (db: Reader, organizationId: string): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('event_definition')
    .select('name')
    .distinct()
    .where('organization_id', '=', organizationId)
    .execute();
  return rows.map(({ name }) => name);
};

/** The first of the log, in their order, from one name to the next by its index: not through all events. */
const namesInLog = async (db: Reader, organizationId: string): Promise<readonly string[]> => {
  const next = (condition: ReturnType<typeof sql>) => sql`
    (SELECT event_name FROM domain_event WHERE organization_id = ${organizationId} AND event_name ${condition}
      ORDER BY organization_id, event_name LIMIT 1)`;
  const { rows } = await sql<{ name: string }>`
    WITH RECURSIVE seen AS (
      SELECT ${next(sql`>= ''`)} AS name
      UNION ALL SELECT ${next(sql`> seen.name`)} FROM seen WHERE seen.name IS NOT NULL
    )
    SELECT name FROM seen WHERE name IS NOT NULL LIMIT ${mostSeen}`.execute(db);
  return rows.map(({ name }) => name);
};

/** Which of these whole names the log has, whatever else it has: one look at an index for each. */
const thoseInLog = async (
  db: Reader,
  organizationId: string,
  names: readonly string[],
): Promise<readonly string[]> => {
  if (names.length === 0) return [];
  const { rows } = await sql<{ name: string }>`
    SELECT given.name FROM unnest(${[...names]}::text[]) AS given (name) JOIN LATERAL (
      SELECT FROM domain_event WHERE organization_id = ${organizationId} AND event_name = given.name LIMIT 1
    ) AS seen ON true`.execute(db);
  return rows.map(({ name }) => name);
};

export interface UnknownName {
  /** A name, or a beginning with its star. */
  readonly name: string;
  readonly isBeginning: boolean;
  /** Those that may have been meant, five at most; of the first of many unknown names only. */
  readonly similar: readonly string[];
}

/**
 * Of these names and beginnings, canonical as the log has them: those by which nothing can be taken that is known so far. Three queries at
 * most, however many are asked for. Where the log has more names than are looked through, what a beginning may match is not known, and
 * no beginning is unknown.
 */
export const findUnknownNames = async (
  db: Reader,
  organizationId: string,
  filters: readonly string[],
): Promise<readonly UnknownName[]> => {
  const catalog = Object.keys(eventCatalog);
  const isIn = (known: readonly string[]) => (filter: string) =>
    known.some((name) => matchesNames([filter], name));
  const others = filters.filter((filter) => filter !== '*' && !isIn(catalog)(filter));
  if (others.length === 0) return [];
  const seen = await namesInLog(db, organizationId);
  const known = [...new Set([...catalog, ...(await ownNames(db, organizationId)), ...seen])];
  const unseen = others.filter((one) => !isIn(known)(one));
  const whole = unseen.filter((one) => !isBeginning(one));
  const hasMore = seen.length === mostSeen;
  const found = hasMore ? await thoseInLog(db, organizationId, whole) : [];
  const beginnings = hasMore ? [] : unseen.filter(isBeginning);
  // Whole names first: with those a request may be refused.
  return [...whole.filter((name) => !found.includes(name)), ...beginnings].map((name, n) => ({
    name,
    isBeginning: isBeginning(name),
    similar: n < mostCompared ? similarNames(name, known.slice(0, mostComparedWith)) : [],
  }));
};
