import { sql } from 'kysely';
import type { Database } from '../../platform/db/client.ts';
import { inParts } from '../../platform/db/in-parts.ts';

/** How long it is kept what became of a delivery. */
export const deliveryDays = 30;

/** Removes what ended long ago, a part at a time; what is pending or dead stays until someone ends it. */
export const dropOldDeliveries = async (db: Database, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - deliveryDays * 24 * 3_600_000);
  await inParts((rows) =>
    sql`DELETE FROM event_delivery WHERE ended_at < ${before} AND state IN ('delivered', 'skipped') AND ctid = ANY (ARRAY(
      SELECT ctid FROM event_delivery WHERE ended_at < ${before} AND state IN ('delivered', 'skipped') LIMIT ${rows}))`.execute(
      db,
    ),
  );
};
