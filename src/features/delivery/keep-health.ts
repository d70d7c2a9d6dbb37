/** Tells a sink's row how it is: failures open its breaker and, going on for days, are warned of; a success closes it; 410 disables. */
import type { Verdict } from '../../core/delivery/outcomes.ts';
import {
  recordFailure,
  recordGone,
  recordRefusal,
  recordSuccess,
  type SinkHealth,
} from '../../domain/deliveries/sink-health.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { OpenSink } from './run-shard.ts';

export interface HealthDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly disableAfterMs: number | null;
}

type Of<Type extends Verdict['type']> = Extract<Verdict, { type: Type }>;
const find = <Type extends Verdict['type']>(verdicts: readonly Verdict[], type: Type): Of<Type> | undefined =>
  verdicts.find((one): one is Of<Type> => one.type === type);

/** What repeats is written so seldom: each is a transaction on one row. */
const repeatMs = 10_000;
/** An endpoint that is away fails hundreds of calls before its breaker opens: so often it is told of. */
const quietMs = 60_000;

export const createHealthKeeper = (
  { db, clock, log, disableAfterMs }: HealthDeps,
  sinkId: string,
): OpenSink['onVerdicts'] => {
  let last: 'away' | 'refusing' | 'accepting' = 'away';
  let writtenAt = Number.NEGATIVE_INFINITY;
  let acceptedAt = Number.NEGATIVE_INFINITY;
  const repeats = (state: typeof last, now: Date): boolean => {
    if (state === last && Math.abs(now.getTime() - writtenAt) < repeatMs) return true;
    last = state;
    writtenAt = now.getTime();
    return false;
  };
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  const tellAway = (now: Date, error: string, health: SinkHealth | null): void => {
    if (Math.abs(now.getTime() - toldAt) < quietMs) {
      untold += 1;
      return;
    }
    const { failures, failingSince } = health ?? {};
    log.warn(
      { sink: sinkId, error, failures, failingSince, untold },
      'a sink could not take its events; they wait',
    );
    toldAt = now.getTime();
    untold = 0;
  };
  const tell = (health: SinkHealth | null, error: string): void => {
    if (health?.act === 'warn')
      log.warn({ sink: sinkId, error, ...health }, 'an endpoint has failed for days');
    if (health?.act === 'disable')
      log.warn({ sink: sinkId, error, ...health }, 'an endpoint that failed for days was disabled');
  };

  return async (verdicts) => {
    const now = clock.now();
    const rules = { now, disableAfterMs };
    const gone = find(verdicts, 'gone');
    const away = find(verdicts, 'unavailable');
    const refused = find(verdicts, 'refused');
    if (gone) {
      last = 'away';
      const disabled = await recordGone(db, sinkId, gone.error, rules);
      log.warn(
        { sink: sinkId, reason: gone.error },
        disabled ? 'a sink is gone and was disabled' : 'a sink says that it is gone',
      );
    } else if (away) {
      last = 'away';
      const failure = { error: away.error, retryAfterMs: away.retryAfterMs ?? 0 };
      const health = await recordFailure(db, sinkId, failure, rules);
      tellAway(now, away.error, health);
      tell(health, away.error);
    } else if (find(verdicts, 'delivered')) {
      acceptedAt = now.getTime();
      if (!repeats('accepting', now)) await recordSuccess(db, sinkId, now);
    } else if (refused && now.getTime() - acceptedAt >= repeatMs) {
      // One that takes others at the same time is well.
      if (!repeats('refusing', now))
        tell(await recordRefusal(db, sinkId, refused.error, rules), refused.error);
    }
  };
};
