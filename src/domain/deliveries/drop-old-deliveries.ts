import { sql } from 'kysely';
import type { Database } from '../../platform/db/client.ts';

/** How long it is kept what became of a delivery. */
export const deliveryDays = 30;
const chunk = 5_000;

/** Removes what ended long ago, a part at a time; what is pending or dead stays until someone ends it. */
export const dropOldDeliveries = async (db: Database, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - deliveryDays * 24 * 3_600_000);
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      DELETE FROM event_delivery WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM event_delivery WHERE ended_at < ${before} AND state IN ('delivered', 'skipped') LIMIT ${chunk}))`.execute(
      db,
    );
    if (numAffectedRows < BigInt(chunk)) return;
  }
};
