/** Whether a sink is well, as all dispatchers see it. */
import { sql } from 'kysely';
import { breakerThreshold, openFor } from '../../core/delivery/breaker.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

export interface SinkFailure {
  readonly error: string;
  /** From Retry-After, milliseconds. */
  readonly retryAfterMs: number;
}

/** One call that found the sink away. Returns how many in a row that makes, and since when it fails. */
export const recordFailure = (
  db: Database,
  sinkId: string,
  failure: SinkFailure,
  now: Date,
): Promise<{ readonly failures: number; readonly failingSince: Date } | null> =>
  db.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable('event_sink')
      .set((sink) => ({
        consecutive_failures: sink('consecutive_failures', '+', 1),
        failing_since: sink.fn.coalesce('failing_since', sink.val(now)),
        last_error: failure.error,
      }))
      .where('id', '=', sinkId)
      .returning(['consecutive_failures', 'failing_since'])
      .executeTakeFirst();
    if (!row) return null;
    const openMs = openFor(row.consecutive_failures, failure.retryAfterMs);
    if (openMs > 0) {
      const open_until = new Date(now.getTime() + openMs);
      await tx.updateTable('event_sink').set({ open_until }).where('id', '=', sinkId).execute();
    }
    return { failures: row.consecutive_failures, failingSince: row.failing_since ?? now };
  });

/**
 * A call that the sink answered. Where its breaker had opened it is back, and what waited for that is due now; a single failure
 * among successes keeps its patience, for it may be the event and not the sink.
 */
export const recordSuccess = (db: Database, sinkId: string, now: Date): Promise<void> =>
  db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('event_sink')
      .select('consecutive_failures')
      .where('id', '=', sinkId)
      .forUpdate()
      .executeTakeFirst();
    if (!before) return;
    await tx
      .updateTable('event_sink')
      .set({ last_success_at: now, consecutive_failures: 0, failing_since: null, open_until: null })
      .where('id', '=', sinkId)
      .execute();
    if (before.consecutive_failures >= breakerThreshold) await wakeWaiting(tx, sinkId, now);
  });

/** Holds all shards, as whoever settles holds one: else two could wait for each other's deliveries. */
const wakeWaiting = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await sql`
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM (SELECT shard FROM delivery_shard WHERE sink_id = ${sinkId} ORDER BY shard FOR UPDATE) AS held
    WHERE s.sink_id = ${sinkId} AND s.shard = held.shard`.execute(tx);
  // A lane whose head the sink refused keeps its patience: its order would be lost otherwise.
  await sql`
    UPDATE event_delivery d SET next_at = ${now}::timestamptz
    WHERE d.sink_id = ${sinkId} AND d.state = 'pending' AND d.next_at > ${now}::timestamptz
      AND NOT EXISTS (SELECT 1 FROM event_delivery r WHERE r.sink_id = d.sink_id AND r.lane = d.lane
        AND r.state = 'pending' AND r.failure = 'refused')`.execute(tx);
};
