/** Whether a sink is well, as all dispatchers see it. */
import { breakerThreshold, openFor } from '../../core/delivery/breaker.ts';
import { continueStreak, planWarning, type WarningPlan } from '../../core/delivery/plan-warning.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import { emitEndpointDisabled, emitEndpointFailing } from './endpoint-events.ts';
import { disableSink, type EventSink, wellAgain } from './sinks.ts';
import { wakeWaiting } from './wake-waiting.ts';

export interface SinkFailure {
  readonly error: string;
  /** From Retry-After, milliseconds. */
  readonly retryAfterMs: number;
}

export interface HealthRules {
  readonly now: Date;
  /** An organization's endpoint that has accepted nothing for so long is disabled; null: never. */
  readonly disableAfterMs: number | null;
}

export interface SinkHealth {
  /** Calls in a row that found it away. */
  readonly failures: number;
  readonly failingSince: Date;
  /** What was recorded of it just now. */
  readonly act: WarningPlan['act'];
}

/** Held until the end of the transaction: of dispatchers that fail at the same time one warns, and the others see that it has. */
const holdSink = (tx: Tx, sinkId: string): Promise<EventSink | undefined> =>
  tx.selectFrom('event_sink').selectAll().where('id', '=', sinkId).forUpdate().executeTakeFirst();

const isWebhook = ({ kind }: EventSink): boolean => kind === 'webhook';

const disabledForFailing = (disableAfterMs: number): string => {
  const days = disableAfterMs / (24 * 3_600_000);
  return `It has accepted nothing for ${days} ${days === 1 ? 'day' : 'days'}.`;
};

/** One more failure of an uninterrupted row of them: warns, or disables, where it is time for it. */
const countFailure = async (
  tx: Tx,
  sink: EventSink,
  change: {
    readonly consecutive_failures: number;
    readonly open_until: Date | null;
    readonly last_error: string;
  },
  { now, disableAfterMs }: HealthRules,
): Promise<SinkHealth> => {
  const streak = continueStreak(
    { failingSince: sink.failing_since, lastFailedAt: sink.last_failed_at, warnedHours: sink.warned_hours },
    now,
  );
  const limitMs = isWebhook(sink) && sink.organization_id !== null ? disableAfterMs : null;
  const plan = planWarning(streak, now, limitMs);
  const failing = {
    ...change,
    failing_since: streak.failingSince,
    last_failed_at: now,
    warned_hours: plan.warnedHours,
    disables_at: plan.disablesAt,
  };
  await tx.updateTable('event_sink').set(failing).where('id', '=', sink.id).execute();
  const health = { failures: change.consecutive_failures, failingSince: streak.failingSince };
  if (!isWebhook(sink) || sink.status !== 'enabled') return { ...health, act: 'none' };
  const after = { ...sink, ...failing };
  if (plan.act === 'warn') await emitEndpointFailing(tx, after, now);
  if (plan.act === 'disable') {
    const reason = disabledForFailing(limitMs ?? 0);
    await disableSink(tx, sink.id, reason, now);
    await emitEndpointDisabled(tx, after, { cause: 'failing', reason }, now);
  }
  return { ...health, act: plan.act };
};

const away = (
  tx: Tx,
  sink: EventSink,
  { error, retryAfterMs }: SinkFailure,
  rules: HealthRules,
): Promise<SinkHealth> => {
  const failures = sink.consecutive_failures + 1;
  const openMs = openFor(failures, retryAfterMs);
  const change = {
    consecutive_failures: failures,
    open_until: openMs > 0 ? new Date(rules.now.getTime() + openMs) : sink.open_until,
    last_error: error,
  };
  return countFailure(tx, sink, change, rules);
};

/** One call that found the sink away. null: there is no such sink. */
export const recordFailure = (
  db: Database,
  sinkId: string,
  failure: SinkFailure,
  rules: HealthRules,
): Promise<SinkHealth | null> =>
  db.transaction().execute(async (tx) => {
    const sink = await holdSink(tx, sinkId);
    return sink ? away(tx, sink, failure, rules) : null;
  });

/**
 * 410: an organization's endpoint is disabled (then true), and what waits for it stays. The operator's own, whose address is a setting
 * that may be mended any moment, is away.
 */
export const recordGone = (
  db: Database,
  sinkId: string,
  error: string,
  rules: HealthRules,
): Promise<boolean> =>
  db.transaction().execute(async (tx) => {
    const sink = await holdSink(tx, sinkId);
    if (sink?.status !== 'enabled') return false;
    if (sink.organization_id === null) {
      await away(tx, sink, { error, retryAfterMs: 0 }, rules);
      return false;
    }
    await disableSink(tx, sinkId, error, rules.now);
    const gone = { ...sink, last_error: error };
    await tx.updateTable('event_sink').set({ last_error: error }).where('id', '=', sinkId).execute();
    await emitEndpointDisabled(tx, gone, { cause: 'gone', reason: error }, rules.now);
    return true;
  });

/** Its breaker had opened: what waited for that is due now. */
const hasOpened = (sink: EventSink): boolean => sink.consecutive_failures >= breakerThreshold;

/**
 * The sink answered, and took nothing. It is not away, so that its breaker closes; but an endpoint that takes nothing for days (404,
 * 401) is as dead as one that does not answer. Of the other kinds of sink a refusal speaks of the event alone. null: as `recordSuccess`.
 */
export const recordRefusal = async (
  db: Database,
  sinkId: string,
  error: string,
  rules: HealthRules,
): Promise<SinkHealth | null> => {
  const { health, wasAway } = await db.transaction().execute(async (tx) => {
    const sink = await holdSink(tx, sinkId);
    if (!sink) return { health: null, wasAway: false };
    const closed = { consecutive_failures: 0, open_until: null };
    if (!isWebhook(sink)) {
      await tx
        .updateTable('event_sink')
        .set({ ...closed, ...wellAgain, last_success_at: rules.now })
        .where('id', '=', sinkId)
        .execute();
      return { health: null, wasAway: hasOpened(sink) };
    }
    const counted = await countFailure(tx, sink, { ...closed, last_error: error }, rules);
    return { health: counted, wasAway: hasOpened(sink) };
  });
  if (wasAway) await wakeWaiting(db, sinkId, rules.now);
  return health;
};

/** A call of which the sink accepted something; a single failure among successes keeps its patience, for it may be the event. */
export const recordSuccess = async (db: Database, sinkId: string, now: Date): Promise<void> => {
  const wasAway = await db.transaction().execute(async (tx) => {
    const sink = await holdSink(tx, sinkId);
    if (!sink) return false;
    await tx
      .updateTable('event_sink')
      .set({ ...wellAgain, consecutive_failures: 0, open_until: null, last_success_at: now })
      .where('id', '=', sinkId)
      .execute();
    return hasOpened(sink);
  });
  if (wasAway) await wakeWaiting(db, sinkId, now);
};
