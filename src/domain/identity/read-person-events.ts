import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';
import { decodePlace, encodePlace } from '../../platform/db/page-place.ts';
import { eventColumns, type LoggedEvent } from '../events/read-events.ts';

export interface PersonPage {
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
  readonly cursor?: string | undefined;
}

interface PersonEvents {
  readonly events: readonly LoggedEvent[];
  /** Where to go on; null at the end. */
  readonly nextCursor: string | null;
}

const microsOf = sql.raw('(extract(epoch FROM occurred_at) * 1000000)::bigint::text AS micros');

/**
 * Everything that the user did, by when it happened: the user's own events, and those of its visitors that carry no user, which is
 * what they did before they were known. Each visitor is read by itself, so that only as much as the page holds is read of each.
 */
export const readPersonEvents = async (
  db: Reader,
  who: { organizationId: string; userId: string },
  page: PersonPage,
): Promise<PersonEvents> => {
  const direction = sql.raw(page.order === 'newest' ? 'DESC' : 'ASC');
  const comparison = sql.raw(page.order === 'newest' ? '<' : '>');
  const after = page.cursor === undefined ? undefined : decodePlace(page.cursor);
  const beyond =
    after === undefined
      ? sql``
      : sql`AND (occurred_at, id) ${comparison} (timestamptz 'epoch' + ${after.micros}::bigint * interval '1 microsecond', ${after.id}::uuid)`;
  const end = sql`${beyond} ORDER BY occurred_at ${direction}, id ${direction} LIMIT ${page.limit + 1}`;
  const { rows } = await sql<LoggedEvent & { micros: string }>`
    WITH own AS (
      SELECT * FROM domain_event
      WHERE organization_id = ${who.organizationId} AND user_id = ${who.userId} ${end}
    ), before_known AS (
      SELECT event.* FROM identity_link link CROSS JOIN LATERAL (
        SELECT * FROM domain_event
        WHERE organization_id = ${who.organizationId} AND distinct_id = link.distinct_id AND user_id IS NULL ${end}
      ) AS event
      WHERE link.organization_id = ${who.organizationId} AND link.user_id = ${who.userId}
    )
    SELECT ${eventColumns}, ${microsOf} FROM (SELECT * FROM own UNION ALL SELECT * FROM before_known) AS person
    ORDER BY occurred_at ${direction}, id ${direction} LIMIT ${page.limit + 1}`.execute(db);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    events: shown.map(({ micros: _micros, ...event }) => event),
    nextCursor: rows.length > page.limit && last ? encodePlace(last) : null,
  };
};
