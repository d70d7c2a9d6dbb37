/** What an operator and a tenant see of deliveries. */
import { sql } from 'kysely';
import type { DeliveryFailure, DeliveryState } from '../../core/delivery/outcomes.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { LoggedAttempt } from '../../platform/db/schema-events.ts';

export interface ShownDelivery {
  readonly sinkId: string;
  readonly sinkKind: string;
  /** Whose sink it is; null: the operator's. */
  readonly sinkOwnerId: string | null;
  readonly organizationId: string;
  readonly eventId: string;
  readonly event: string;
  readonly state: DeliveryState;
  /** Since it was made, or tried again by hand. */
  readonly attempts: number;
  readonly nextAt: Date;
  readonly failure: DeliveryFailure | null;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly attemptLog: readonly LoggedAttempt[];
  readonly seq: number;
}

const shown =
  sql.raw(`d.sink_id AS "sinkId", k.kind AS "sinkKind", k.organization_id AS "sinkOwnerId", d.organization_id AS "organizationId",
  d.event_id AS "eventId", d.event_name AS event, d.state, d.attempts, d.next_at AS "nextAt", d.failure, d.reason,
  d.created_at AS "createdAt", d.ended_at AS "endedAt", d.attempt_log AS "attemptLog", d.seq`);

export interface DeliveryFilter {
  readonly state: 'pending' | 'dead';
  readonly sinkId?: string | undefined;
  /** Whose events. */
  readonly organizationId?: string | undefined;
  /** Whose sinks. */
  readonly ownerId?: string | undefined;
  /** Of the last one of the page before. */
  readonly afterSeq?: number | undefined;
  readonly limit: number;
}

/** In the order of the log; of sinks that are there still. */
export const listDeliveries = async (db: Reader, filter: DeliveryFilter): Promise<ShownDelivery[]> => {
  const only = (column: string, value: string | undefined) =>
    value === undefined ? sql`` : sql`AND ${sql.ref(column)} = ${value}`;
  const { rows } = await sql<ShownDelivery>`
    SELECT ${shown} FROM event_delivery d JOIN event_sink k ON k.id = d.sink_id AND k.status <> 'removed'
    WHERE d.state = ${sql.lit(filter.state)} AND d.seq > ${filter.afterSeq ?? 0}
      ${only('d.sink_id', filter.sinkId)} ${only('d.organization_id', filter.organizationId)}
      ${only('k.organization_id', filter.ownerId)}
    ORDER BY d.seq LIMIT ${filter.limit}`.execute(db);
  return rows;
};

/** Of an event: everywhere it went, and was to go. */
export const deliveriesOf = async (
  db: Reader,
  organizationId: string,
  eventId: string,
): Promise<ShownDelivery[]> => {
  const { rows } = await sql<ShownDelivery>`
    SELECT ${shown} FROM event_delivery d JOIN event_sink k ON k.id = d.sink_id
    WHERE d.organization_id = ${organizationId} AND d.event_id = ${eventId}::uuid ORDER BY d.sink_id`.execute(
    db,
  );
  return rows;
};

export interface SinkFigures {
  readonly sinkId: string;
  readonly kind: string;
  readonly organizationId: string | null;
  readonly status: string;
  /** Counted up to 100,000, as `deadNow` is. */
  readonly pending: number;
  /** Seconds since the oldest of those was made; 0 where there is none. */
  readonly oldestSeconds: number;
  readonly delivered: number;
  readonly skipped: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Given up since the beginning. */
  readonly dead: number;
  /** Given up, and neither tried again nor sent again since. */
  readonly deadNow: number;
  readonly latencyMs: number;
  readonly latencyBuckets: readonly number[];
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly openUntil: Date | null;
  readonly statusReason: string | null;
  readonly lastError: string | null;
  readonly warnedHours: number;
  readonly disablesAt: Date | null;
  readonly missedFrom: Date | null;
  readonly missedUntil: Date | null;
}

/** Pending and dead are counted no further than this: a backlog of millions must not slow the metrics. */
const countedAtMost = 100_000;

export const sinkFigures = async (db: Reader, now: Date): Promise<SinkFigures[]> => {
  const { rows } = await sql<SinkFigures>`
    SELECT k.id AS "sinkId", k.kind, k.organization_id AS "organizationId", k.status, k.status_reason AS "statusReason",
      k.consecutive_failures AS "consecutiveFailures", k.failing_since AS "failingSince", k.open_until AS "openUntil",
      k.last_error AS "lastError", k.warned_hours AS "warnedHours", k.disables_at AS "disablesAt",
      k.missed_from AS "missedFrom", k.missed_until AS "missedUntil", waiting.pending,
      coalesce(greatest(0, extract(epoch FROM ${now}::timestamptz - waiting.oldest)), 0)::float8 AS "oldestSeconds",
      (SELECT count(*) FROM (SELECT 1 FROM event_delivery d WHERE d.sink_id = k.id AND d.state = 'dead'
        LIMIT ${countedAtMost}) AS part) AS "deadNow",
      coalesce(sums.delivered, 0) AS delivered, coalesce(sums.skipped, 0) AS skipped, coalesce(sums.failed, 0) AS failed,
      coalesce(sums.dead, 0) AS dead, coalesce(sums.latency_ms, 0) AS "latencyMs",
      coalesce((SELECT array_agg(total ORDER BY n) FROM (
        SELECT b.n, sum(b.value)::float8 AS total FROM delivery_shard q, unnest(q.latency_buckets) WITH ORDINALITY AS b (value, n)
        WHERE q.sink_id = k.id GROUP BY b.n) AS bucket), '{}') AS "latencyBuckets"
    FROM event_sink k
    CROSS JOIN LATERAL (SELECT count(*) AS pending, min(created_at) AS oldest FROM (
      SELECT created_at FROM event_delivery d WHERE d.sink_id = k.id AND d.state = 'pending' LIMIT ${countedAtMost}) AS part) AS waiting
    CROSS JOIN LATERAL (SELECT sum(delivered) AS delivered, sum(skipped) AS skipped, sum(failed) AS failed, sum(dead) AS dead,
      sum(latency_ms) AS latency_ms FROM delivery_shard s WHERE s.sink_id = k.id) AS sums
    WHERE k.status <> 'removed' ORDER BY k.organization_id NULLS FIRST, k.id`.execute(db);
  return rows;
};
