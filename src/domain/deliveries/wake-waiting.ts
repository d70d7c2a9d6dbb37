import { type RawBuilder, sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';

/** Holds all shards, as whoever settles holds one: else two could wait for each other's deliveries. */
export const wakeShards = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await sql`
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM (SELECT shard FROM delivery_shard WHERE sink_id = ${sinkId} ORDER BY shard FOR UPDATE) AS held
    WHERE s.sink_id = ${sinkId} AND s.shard = held.shard`.execute(tx);
};

const wokenAtOnce = 5_000;

interface Waking {
  readonly sinkId: string;
  readonly now: Date;
  /** Of `d`, a delivery that is pending. */
  readonly which: RawBuilder<unknown>;
  readonly change: RawBuilder<unknown>;
}

/** Holds one shard, for a moment: the projector waits while one holds it, and with it everybody's events. Returns how many it woke. */
const wakeSome = (db: Database, { sinkId, now, which, change }: Waking, shard: number): Promise<number> =>
  db.transaction().execute(async (tx) => {
    await sql`UPDATE delivery_shard SET due_at = least(due_at, ${now}::timestamptz)
      WHERE sink_id = ${sinkId} AND shard = ${shard}`.execute(tx);
    const { numAffectedRows } = await sql`
      UPDATE event_delivery e SET ${change}
      FROM (
        SELECT d.organization_id, d.event_id FROM event_delivery d
        WHERE d.sink_id = ${sinkId} AND d.shard = ${shard} AND d.state = 'pending' AND ${which}
        ORDER BY d.seq LIMIT ${wokenAtOnce}
      ) AS first
      WHERE e.sink_id = ${sinkId} AND e.organization_id = first.organization_id AND e.event_id = first.event_id`.execute(
      tx,
    );
    return Number(numAffectedRows ?? 0);
  });

const wakeShard = async (db: Database, waking: Waking, shard: number): Promise<void> => {
  while ((await wakeSome(db, waking, shard)) === wokenAtOnce);
};

/** In many small transactions, each lane from its head on, so that at no time one is due before what it has to follow. */
const wake = async (db: Database, waking: Waking): Promise<void> => {
  const shards = await db
    .selectFrom('delivery_shard')
    .select('shard')
    .where('sink_id', '=', waking.sinkId)
    .orderBy('shard')
    .execute();
  for (const { shard } of shards) await wakeShard(db, waking, shard);
};

/** The sink is back: what waited for that alone is due. */
export const wakeWaiting = (db: Database, sinkId: string, now: Date): Promise<void> =>
  wake(db, {
    sinkId,
    now,
    // A lane whose head the sink refused keeps its patience: its order would be lost otherwise.
    which: sql`d.next_at > ${now}::timestamptz AND NOT EXISTS (SELECT 1 FROM event_delivery r
      WHERE r.sink_id = d.sink_id AND r.lane = d.lane AND r.state = 'pending' AND r.failure = 'refused')`,
    change: sql`next_at = ${now}::timestamptz`,
  });

/** Someone has mended the sink: all that waits is due, whole lanes in their order, with all attempts before it. */
export const wakeAll = (db: Database, sinkId: string, now: Date): Promise<void> =>
  wake(db, {
    sinkId,
    now,
    which: sql`(d.next_at > ${now}::timestamptz OR d.attempts > 0)`,
    change: sql`next_at = least(e.next_at, ${now}::timestamptz), attempts = 0, failure = NULL`,
  });

export interface FreedLane {
  readonly sinkId: string;
  readonly shard: number;
  readonly lane: string;
  /** Of what was at its head, and has ended. */
  readonly seq: number;
}

/** What followed one that waited is due, unless another one stands before it. */
export const wakeLane = (db: Database, { sinkId, shard, lane, seq }: FreedLane, now: Date): Promise<void> =>
  wakeShard(
    db,
    {
      sinkId,
      now,
      which: sql`d.lane = ${lane}::bigint AND d.seq > ${seq}::bigint AND d.next_at > ${now}::timestamptz
        AND NOT EXISTS (SELECT 1 FROM event_delivery a
          WHERE a.sink_id = d.sink_id AND a.lane = d.lane AND a.state = 'pending' AND a.seq < ${seq}::bigint)`,
      change: sql`next_at = ${now}::timestamptz`,
    },
    shard,
  );
