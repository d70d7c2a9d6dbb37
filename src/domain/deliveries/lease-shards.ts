/**
 * A shard of a sink's deliveries is worked on by one dispatcher at a time, under a lease. One that died loses nothing: its lease
 * runs out, another takes over, and its late acknowledgements are refused by the epoch.
 */
import { sql } from 'kysely';
import { breakerThreshold } from '../../core/delivery/breaker.ts';
import { type Database, prepared, type Tx } from '../../platform/db/client.ts';

export interface ShardLease {
  readonly sinkId: string;
  readonly shard: number;
  /** The fencing token. */
  readonly epoch: number;
  /** The sink failed the last times: this is the try that tells whether it is back. */
  readonly isProbe: boolean;
}

export interface DueSink {
  readonly id: string;
  readonly kind: string;
  readonly organizationId: string | null;
  readonly consecutiveFailures: number;
  /** Its settings are newer than what was opened before. */
  readonly updatedAt: Date;
}

/** Sinks that have something due which nobody works on, and whose breaker lets it through; who waits longest first. */
export const dueSinks = async (db: Database, now: Date, limit: number): Promise<readonly DueSink[]> => {
  const { rows } = await sql<DueSink>`${prepared}
    SELECT k.id, k.kind, k.organization_id AS "organizationId", k.consecutive_failures AS "consecutiveFailures",
      k.updated_at AS "updatedAt"
    FROM delivery_shard s JOIN event_sink k ON k.id = s.sink_id
    WHERE s.due_at <= ${now}::timestamptz AND (s.leased_until IS NULL OR s.leased_until <= ${now}::timestamptz)
      AND k.status = 'enabled' AND (k.open_until IS NULL OR k.open_until <= ${now}::timestamptz)
    GROUP BY k.id ORDER BY min(s.due_at) LIMIT ${limit}`.execute(db);
  return rows;
};

/** While it is half open, one dispatcher has the right to try one delivery; the breaker is shut for the others meanwhile. */
const takeProbe = async (tx: Tx, sinkId: string, now: Date, probeMs: number): Promise<boolean> => {
  const taken = await tx
    .updateTable('event_sink')
    .set({ open_until: new Date(now.getTime() + probeMs) })
    .where('id', '=', sinkId)
    .where('consecutive_failures', '>=', breakerThreshold)
    .where((where) => where.or([where('open_until', 'is', null), where('open_until', '<=', now)]))
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
};

export interface LeaseOptions {
  readonly leaseMs: number;
  /** At most so many shards; one where the sink is being probed. */
  readonly limit: number;
  /** A try is over after this. */
  readonly probeMs: number;
}

export const leaseShards = (
  db: Database,
  sink: DueSink,
  options: LeaseOptions,
  now: Date,
): Promise<readonly ShardLease[]> =>
  db.transaction().execute(async (tx) => {
    const isProbe = sink.consecutiveFailures >= breakerThreshold;
    if (isProbe && !(await takeProbe(tx, sink.id, now, options.probeMs))) return [];
    const { rows } = await sql<{ shard: number; epoch: number }>`${prepared}
      UPDATE delivery_shard s SET leased_until = ${new Date(now.getTime() + options.leaseMs)}::timestamptz, epoch = s.epoch + 1
      FROM (
        SELECT sink_id, shard FROM delivery_shard
        WHERE sink_id = ${sink.id} AND due_at <= ${now}::timestamptz
          AND (leased_until IS NULL OR leased_until <= ${now}::timestamptz)
        ORDER BY due_at LIMIT ${isProbe ? 1 : options.limit} FOR UPDATE SKIP LOCKED
      ) AS due
      WHERE s.sink_id = due.sink_id AND s.shard = due.shard
      RETURNING s.shard, s.epoch`.execute(tx);
    return rows.map(({ shard, epoch }) => ({ sinkId: sink.id, shard, epoch, isProbe }));
  });

/** False where the lease is lost: another dispatcher has the shard. */
export const renewLease = async (
  db: Database | Tx,
  lease: ShardLease,
  leaseMs: number,
  now: Date,
): Promise<boolean> => {
  const renewed = await db
    .updateTable('delivery_shard')
    .set({ leased_until: new Date(now.getTime() + leaseMs) })
    .where('sink_id', '=', lease.sinkId)
    .where('shard', '=', lease.shard)
    .where('epoch', '=', lease.epoch)
    .executeTakeFirst();
  return renewed.numUpdatedRows > 0n;
};
