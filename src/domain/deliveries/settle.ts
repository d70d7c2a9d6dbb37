/** Records what became of deliveries, under the lease of their shard: all of it, or nothing where the lease was lost. */
import { sql } from 'kysely';
import { countLatencies } from '../../core/delivery/latency-buckets.ts';
import { type Database, prepared, type Tx } from '../../platform/db/client.ts';
import { countEndedDeliveries } from '../events/count-deliveries.ts';
import type { DueDelivery } from './due-deliveries.ts';
import { holdShard } from './hold-shard.ts';
import type { ShardLease } from './lease-shards.ts';
import { emitNotifications } from './notifications.ts';
import type { Outcome } from './outcome.ts';
import { parkAhead, parkFollowers } from './park-followers.ts';

export interface SettleOptions {
  readonly kind: string;
  /** Absent: the lease ends, and the shard is due when its next delivery is. */
  readonly keepUntil?: Date;
}

/**
 * `lost`: another dispatcher has the shard by now; nothing was recorded, and what was delivered will be delivered again. `closed`: it
 * was recorded, and the sink is to get nothing more.
 */
export type Settled = 'held' | 'closed' | 'lost';

export const settle = async (
  db: Database,
  lease: ShardLease,
  outcomes: readonly Outcome[],
  options: SettleOptions,
  now: Date,
): Promise<Settled> => {
  await parkAhead(db, lease, outcomes);
  return db.transaction().execute(async (tx) => {
    const status = await holdShard(tx, lease);
    if (status === null) return 'lost';
    const recorded = await writeOutcomes(tx, lease.sinkId, outcomes, now);
    // What was skipped or given up meanwhile has been settled by whoever did that.
    const settled = outcomes.filter(({ delivery }) => recorded.has(keyOf(delivery)));
    await parkFollowers(tx, lease.sinkId, settled);
    const ended = settled.filter(({ state }) => state !== 'pending');
    await countEndedDeliveries(
      tx,
      ended.map(({ delivery, attempt }) => ({
        organizationId: delivery.organizationId,
        eventId: delivery.eventId,
        receivedAt: delivery.receivedAt,
        retentionClass: delivery.retentionClass,
        attempts: delivery.attempts + (attempt === null ? 0 : 1),
      })),
    );
    if (options.kind === 'webhook') await emitNotifications(tx, lease.sinkId, ended, now);
    await countOnShard(tx, lease, settled, options.keepUntil ?? null, now);
    return status === 'enabled' ? 'held' : 'closed';
  });
};

const keyOf = ({ organizationId, eventId }: Pick<DueDelivery, 'organizationId' | 'eventId'>): string =>
  `${organizationId}/${eventId}`;

/** The outcomes of one call are mostly the same: each of them once, and which delivery has which. */
const distinctOutcomes = (outcomes: readonly Outcome[]) => {
  const places = new Map<string, number>();
  const indexes = outcomes.map(({ state, nextAt, failure, reason, attempt }) => {
    const json = JSON.stringify({
      state,
      next_at: nextAt,
      failure,
      reason,
      tries: attempt === null ? 0 : 1,
      entry: attempt === null ? [] : [attempt],
    });
    const index = places.get(json) ?? places.size;
    places.set(json, index);
    return index;
  });
  const json = [...places].map(([text, outcome]) => `{"outcome":${outcome},${text.slice(1)}`).join(',');
  return { json: `[${json}]`, indexes };
};

/**
 * Returns which it found as they were: pending. Asked by what they are not: else the planner takes an index of what is pending, of
 * which its statistics know nothing, and walks through all that the sink has in line.
 */
const writeOutcomes = async (
  tx: Tx,
  sinkId: string,
  outcomes: readonly Outcome[],
  now: Date,
): Promise<ReadonlySet<string>> => {
  if (outcomes.length === 0) return new Set();
  const { json, indexes } = distinctOutcomes(outcomes);
  const written = await sql<Pick<DueDelivery, 'organizationId' | 'eventId'>>`${prepared}
    UPDATE event_delivery d SET state = o.state, attempts = d.attempts + o.tries, next_at = coalesce(o.next_at, d.next_at),
      failure = o.failure, reason = o.reason, attempt_log = d.attempt_log || o.entry,
      ended_at = CASE WHEN o.state <> 'pending' THEN ${now}::timestamptz END
    FROM unnest(${outcomes.map(({ delivery }) => delivery.organizationId)}::text[],
      ${outcomes.map(({ delivery }) => delivery.eventId)}::uuid[], ${indexes}::int[]) AS given (organization_id, event_id, outcome)
    JOIN jsonb_to_recordset(${json}::jsonb) AS o (outcome int, state text, next_at timestamptz, failure text, reason text,
      tries smallint, entry jsonb) USING (outcome)
    WHERE d.organization_id = given.organization_id AND d.event_id = given.event_id AND d.sink_id = ${sinkId}
      AND d.state NOT IN ('delivered', 'skipped', 'dead')
    RETURNING d.organization_id AS "organizationId", d.event_id AS "eventId"`.execute(tx);
  return new Set(written.rows.map(keyOf));
};

const countOnShard = async (
  tx: Tx,
  lease: ShardLease,
  outcomes: readonly Outcome[],
  keepUntil: Date | null,
  now: Date,
): Promise<void> => {
  const delivered = outcomes.filter(({ state }) => state === 'delivered');
  const latencies = delivered.map(
    ({ delivery }) => now.getTime() - (delivery.event?.receivedAt ?? now).getTime(),
  );
  const count = (test: (outcome: Outcome) => boolean): number => outcomes.filter(test).length;
  const buckets = countLatencies(latencies);
  await sql`${prepared}
    UPDATE delivery_shard SET
      due_at = (SELECT next_at FROM event_delivery
        WHERE sink_id = ${lease.sinkId} AND shard = ${lease.shard} AND state = 'pending' ORDER BY next_at, seq LIMIT 1),
      leased_until = ${keepUntil}::timestamptz,
      delivered = delivered + ${delivered.length}, skipped = skipped + ${count(({ state }) => state === 'skipped')},
      dead = dead + ${count(({ state }) => state === 'dead')},
      failed = failed + ${count(({ attempt }) => attempt !== null && attempt.outcome !== 'delivered')},
      latency_ms = latency_ms + ${latencies.reduce((sum, ms) => sum + ms, 0)},
      latency_buckets = (SELECT array_agg(coalesce(latency_buckets[n], 0) + more ORDER BY n)
        FROM unnest(${buckets}::bigint[]) WITH ORDINALITY AS given (more, n))
    WHERE sink_id = ${lease.sinkId} AND shard = ${lease.shard}`.execute(tx);
};
