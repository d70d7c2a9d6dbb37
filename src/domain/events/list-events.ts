/** Finding events of the log: by what is asked, page by page, or one by its id. */
import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';
import { decodePlace, encodePlace } from '../../platform/db/page-place.ts';
import { eventColumns, type LoggedEvent } from './read-events.ts';

export interface EventFilter {
  readonly name?: string | undefined;
  /** Whom the event names: what visitors did before they were known names nobody. */
  readonly userId?: string | undefined;
  readonly entityId?: string | undefined;
  /** Happened at or after, and before. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface ListedEvents {
  readonly events: readonly LoggedEvent[];
  /** Where to go on; null at the end. */
  readonly nextCursor: string | null;
}

const matching = ({ name, userId, entityId, from, until }: EventFilter) => sql`
  ${name === undefined ? sql`` : sql`AND event_name = ${name}`}
  ${userId === undefined ? sql`` : sql`AND user_id = ${userId}`}
  ${entityId === undefined ? sql`` : sql`AND entity_id = ${entityId}`}
  ${from === undefined ? sql`` : sql`AND occurred_at >= ${from}::timestamptz`}
  ${until === undefined ? sql`` : sql`AND occurred_at < ${until}::timestamptz`}`;

const beyond = (cursor: string | undefined) => {
  if (cursor === undefined) return sql``;
  const { micros, id } = decodePlace(cursor);
  return sql`AND (occurred_at, id) > (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::uuid)`;
};

/** By when they happened, the newest last. Throws `invalid_request` for a cursor that was not given out. */
export const listEvents = async (
  db: Reader,
  organizationId: string,
  filter: EventFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<ListedEvents> => {
  const { rows } = await sql<LoggedEvent & { micros: string }>`
    SELECT ${eventColumns}, (extract(epoch FROM occurred_at) * 1000000)::bigint::text AS micros FROM domain_event
    WHERE organization_id = ${organizationId} ${matching(filter)} ${beyond(page.cursor)}
    ORDER BY occurred_at, id LIMIT ${page.limit + 1}`.execute(db);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    events: shown.map(({ micros: _micros, ...event }) => event),
    nextCursor: rows.length > page.limit && last ? encodePlace(last) : null,
  };
};

/** Those of that id, one of each organization that has it. */
export const findEvents = async (
  db: Reader,
  id: string,
  organizationId?: string,
): Promise<readonly LoggedEvent[]> => {
  const { rows } = await sql<LoggedEvent>`
    SELECT DISTINCT ON (organization_id) ${eventColumns} FROM domain_event
    WHERE id = ${id}::uuid ${organizationId === undefined ? sql`` : sql`AND organization_id = ${organizationId}`}
    ORDER BY organization_id, received_at DESC`.execute(db);
  return rows;
};
