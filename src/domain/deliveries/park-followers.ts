/** What follows one that waits, in its lane, waits as long: no round may meet it before. */
import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { holdShard } from './hold-shard.ts';
import type { ShardLease } from './lease-shards.ts';
import type { Outcome } from './outcome.ts';

const parkedAtOnce = 5_000;

/** Those that wait, as JSON; null: none does. */
const waitingIn = (outcomes: readonly Outcome[]): string | null => {
  const waiting = outcomes.flatMap(({ delivery, state, nextAt }) =>
    state === 'pending' && nextAt !== null
      ? [{ lane: delivery.lane, seq: delivery.seq, next_at: nextAt }]
      : [],
  );
  return waiting.length === 0 ? null : JSON.stringify(waiting);
};

/** Followers that are due too early, each once, with when they may be due. */
const followers = (sinkId: string, waiting: string) => sql`
  SELECT f.organization_id, f.event_id, max(f.seq) AS seq, max(ahead.next_at) AS next_at
  FROM jsonb_to_recordset(${waiting}::jsonb) AS ahead (lane bigint, seq bigint, next_at timestamptz)
  JOIN event_delivery f ON f.sink_id = ${sinkId} AND f.lane = ahead.lane AND f.state = 'pending' AND f.seq > ahead.seq
  WHERE f.next_at < ahead.next_at GROUP BY 1, 2`;

/** The last of them first. Returns how many it parked. */
const park = async (tx: Tx, sinkId: string, waiting: string): Promise<number> => {
  const { numAffectedRows } = await sql`
    UPDATE event_delivery d SET next_at = later.next_at
    FROM (SELECT * FROM (${followers(sinkId, waiting)}) AS follower ORDER BY seq DESC LIMIT ${parkedAtOnce}) AS later
    WHERE d.sink_id = ${sinkId} AND d.organization_id = later.organization_id AND d.event_id = later.event_id`.execute(
    tx,
  );
  return Number(numAffectedRows ?? 0);
};

const areMany = async (db: Database, sinkId: string, waiting: string): Promise<boolean> => {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM (${followers(sinkId, waiting)} LIMIT ${parkedAtOnce + 1}) AS follower`.execute(
    db,
  );
  return (rows[0]?.n ?? 0) > parkedAtOnce;
};

/**
 * Parks a long line before what it follows is recorded as waiting, in small transactions: while one holds the shard, the projector waits,
 * and with it everybody's events. From the end of the line, so that at no time one is due before what it has to follow; what comes in
 * meanwhile takes the time of the last.
 */
export const parkAhead = async (
  db: Database,
  lease: ShardLease,
  outcomes: readonly Outcome[],
): Promise<void> => {
  const waiting = waitingIn(outcomes);
  if (waiting === null || !(await areMany(db, lease.sinkId, waiting))) return;
  const parkSome = (): Promise<number> =>
    db
      .transaction()
      .execute(async (tx) => ((await holdShard(tx, lease)) === null ? 0 : park(tx, lease.sinkId, waiting)));
  while ((await parkSome()) === parkedAtOnce);
};

/** The rest, in the transaction that records what it follows. */
export const parkFollowers = async (tx: Tx, sinkId: string, outcomes: readonly Outcome[]): Promise<void> => {
  const waiting = waitingIn(outcomes);
  if (waiting === null) return;
  while ((await park(tx, sinkId, waiting)) === parkedAtOnce);
};
