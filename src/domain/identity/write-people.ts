import { sql } from 'kysely';
import { nothingStated } from '../../core/identity/consent.ts';
import type { Tx } from '../../platform/db/client.ts';
import { writeStatements } from './consent-rows.ts';
import type { People, Visitor } from './people.ts';

const writeVisitors = async (tx: Tx, visitors: readonly Visitor[]): Promise<void> => {
  if (visitors.length === 0) return;
  await sql`
    INSERT INTO visitor (organization_id, distinct_id, first_seen_at, last_seen_at, first_touch, last_touch)
    SELECT "organizationId", "distinctId", "firstSeenAt", "lastSeenAt", "firstTouch", "lastTouch"
    FROM jsonb_to_recordset(${JSON.stringify(visitors)}::jsonb) AS row ("organizationId" text, "distinctId" text,
      "firstSeenAt" timestamptz, "lastSeenAt" timestamptz, "firstTouch" jsonb, "lastTouch" jsonb)
    ON CONFLICT (organization_id, distinct_id) DO UPDATE SET first_seen_at = excluded.first_seen_at,
      last_seen_at = excluded.last_seen_at, first_touch = excluded.first_touch, last_touch = excluded.last_touch`.execute(
    tx,
  );
};

/** Writes what has changed, with one statement per table. */
export const writePeople = async (tx: Tx, people: People): Promise<void> => {
  await writeVisitors(
    tx,
    [...people.changedVisitors].flatMap((key) => people.visitors.get(key) ?? []),
  );
  await writeStatements(
    tx,
    [...people.changedStatements].map(([key, person]) => [
      person,
      people.statements.get(key) ?? nothingStated,
    ]),
  );
};
