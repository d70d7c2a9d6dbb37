/** One round on a leased shard: what is due goes out, lane by lane in order, and what became of it is recorded as it comes in. */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Verdict } from '../../core/delivery/outcomes.ts';
import type { SinkEvent } from '../../core/delivery/sink-event.ts';
import { type DueDelivery, dueDeliveries, stillPending } from '../../domain/deliveries/due-deliveries.ts';
import { renewLease, type ShardLease } from '../../domain/deliveries/lease-shards.ts';
import type { Outcome } from '../../domain/deliveries/outcome.ts';
import { settle } from '../../domain/deliveries/settle.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { endPoison } from './end-poison.ts';
import type { Pace } from './pace.ts';
import type { Sink } from './sinks/sink.ts';
import { attemptMs } from './sinks/sink.ts';
import { toOutcome } from './to-outcome.ts';

export interface OpenSink {
  readonly id: string;
  readonly kind: string;
  readonly sink: Sink;
  readonly pace: Pace;
  /** Of each call that was made: what the sink said. */
  readonly onVerdicts: (verdicts: readonly Verdict[]) => Promise<void>;
}

export interface ShardDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseMs: number;
  readonly chance: () => number;
}

/** Of a sink that takes one at a time: enough that its calls overlap, few enough that a round is short. */
const singlesPerRound = 100;
/** So long after they were claimed, deliveries are looked at again before they are sent: what they tell may be erased by then. */
const claimGoodMs = 1_000;
/** A dispatcher that dies delivers again what it had not recorded: no more than this time's. */
const settleEveryMs = 100;

interface Round {
  readonly deps: ShardDeps;
  readonly open: OpenSink;
  readonly lease: ShardLease;
  /** Nothing more is begun: the dispatcher stops, or the lease is lost. */
  readonly ended: AbortController;
  /** Also what runs is cut off: another has the shard by now. */
  readonly cut: AbortController;
  readonly outcomes: Outcome[];
  /** Those that no call has been begun for. */
  readonly unsent: Set<DueDelivery>;
  /** When it was last known what is pending, by `performance.now()`. */
  knownAt: number;
  knowing: Promise<void> | undefined;
  settling: Promise<void> | undefined;
  flushing: NodeJS.Timeout | undefined;
  /** By our clock, in milliseconds: nothing is sent that might still be on its way when another may have the shard. */
  leasedUntil: number;
}

export interface RoundHooks {
  /** Nothing more is begun once it is aborted. */
  readonly stopping: AbortSignal;
  /** Called with how many deliveries were due, before the first is sent. */
  readonly onClaimed: (deliveries: number) => void;
}

/** Returns how many deliveries were settled. */
export const runShard = async (
  deps: ShardDeps,
  open: OpenSink,
  lease: ShardLease,
  { stopping, onClaimed }: RoundHooks,
): Promise<number> => {
  const leasedUntil = deps.clock.now().getTime() + deps.leaseMs;
  const limit = lease.isProbe ? 1 : open.sink.batchSize === 1 ? singlesPerRound : open.sink.batchSize;
  const knownAt = performance.now();
  const due = await dueDeliveries(deps.db, lease, limit, deps.clock.now());
  const round: Round = {
    deps,
    open,
    lease,
    ended: new AbortController(),
    cut: new AbortController(),
    outcomes: [],
    unsent: new Set(due),
    knownAt,
    knowing: undefined,
    settling: undefined,
    flushing: undefined,
    leasedUntil,
  };
  // Every lane of the round may wait for its turn, and every call listens.
  setMaxListeners(0, round.ended.signal, round.cut.signal);
  const end = () => round.ended.abort(stopping.reason);
  stopping.addEventListener('abort', end, { once: true });
  if (stopping.aborted) end();
  const renewing = setInterval(() => void flush(round, true), deps.leaseMs / 3);
  try {
    const running = linesOf(due, open.sink.batchSize).map((line) => runLine(round, line));
    onClaimed(due.length);
    await Promise.all(running);
  } finally {
    clearInterval(renewing);
    clearTimeout(round.flushing);
    stopping.removeEventListener('abort', end);
    await round.settling;
    await settleLast(round);
  }
  return due.length;
};

/** Lines go side by side, each in its order: for single deliveries a lane each, for batches the whole. */
const linesOf = (due: readonly DueDelivery[], batchSize: number): DueDelivery[][] => {
  if (batchSize > 1) return due.length === 0 ? [] : [[...due]];
  const lanes = new Map<string, DueDelivery[]>();
  for (const delivery of due) {
    const lane = lanes.get(delivery.lane) ?? [];
    lane.push(delivery);
    lanes.set(delivery.lane, lane);
  }
  return [...lanes.values()];
};

const runLine = async (round: Round, line: readonly DueDelivery[]): Promise<void> => {
  const { batchSize } = round.open.sink;
  for (let at = 0; at < line.length && !round.ended.signal.aborted; at += batchSize) {
    if (!(await deliver(round, line.slice(at, at + batchSize)))) return;
  }
};

const postponed: Verdict = { type: 'postponed' };

/** Looks at all that are left of the round again, once for those that ask meanwhile. */
const lookAgain = (round: Round): Promise<void> => {
  const { deps, open, unsent, ended } = round;
  round.knowing ??= (async () => {
    const lookedAt = performance.now();
    try {
      const left = [...unsent];
      const pending = new Set(await stillPending(deps.db, open.id, left));
      for (const one of left) if (!pending.has(one)) unsent.delete(one);
      round.knownAt = lookedAt;
    } catch (error) {
      // Nothing is sent of which it is not known whether it may be.
      deps.log.warn({ err: error, sink: open.id }, 'deliveries could not be looked at again; they wait');
      ended.abort(error);
    } finally {
      round.knowing = undefined;
    }
  })();
  return round.knowing;
};

const stillToSend = async (
  round: Round,
  claimed: readonly DueDelivery[],
): Promise<readonly DueDelivery[]> => {
  if (performance.now() - round.knownAt >= claimGoodMs) await lookAgain(round);
  if (round.ended.signal.aborted) return [];
  const pending = claimed.filter((one) => round.unsent.has(one));
  for (const one of claimed) round.unsent.delete(one);
  return pending;
};

/** False where what follows in its line must wait. */
const deliver = async (round: Round, claimed: readonly DueDelivery[]): Promise<boolean> => {
  const { deps, open, ended, outcomes } = round;
  // It rejects only where the round has ended before its turn came: nothing was tried then.
  const leave = await open.pace.enter(ended.signal).catch(() => null);
  if (leave === null) return false;
  try {
    const startedAt = deps.clock.now();
    if (startedAt.getTime() + attemptMs > round.leasedUntil) return false;
    const deliveries = await stillToSend(round, claimed);
    if (deliveries.length === 0) return !ended.signal.aborted;
    const begun = performance.now();
    const answers = await ask(round, deliveries);
    const verdicts =
      open.kind === 'webhook'
        ? await Promise.all(
            deliveries.map((one, n) => endPoison(deps, open.id, one, answers[n] ?? postponed)),
          )
        : answers;
    const attempted = { startedAt, ms: performance.now() - begun, chance: deps.chance() };
    const now = deps.clock.now();
    const judged = deliveries.map((delivery, index) =>
      toOutcome(delivery, verdicts[index] ?? postponed, attempted, now),
    );
    for (const outcome of judged) if (outcome) outcomes.push(outcome);
    flushSoon(round);
    await open.onVerdicts(verdicts);
    return judged.every((outcome) => outcome !== null && outcome.state !== 'pending');
  } finally {
    leave();
  }
};

/** An event that is gone is skipped; the sink is asked about the others. What a sink throws is a failure of its own. */
const ask = async (round: Round, deliveries: readonly DueDelivery[]): Promise<readonly Verdict[]> => {
  const { open, cut, deps } = round;
  const there = deliveries.flatMap(({ event }): SinkEvent[] => (event === null ? [] : [event]));
  let answers: readonly Verdict[] = [];
  if (there.length > 0) {
    answers = await open.sink.deliver(there, cut.signal).catch((error: unknown) => {
      deps.log.error({ err: error, sink: open.id }, 'a sink threw; its deliveries are tried again');
      return there.map((): Verdict => ({ type: 'unavailable', error: 'The sink failed inside Rendermill.' }));
    });
    // What we cut off ourselves is no failure of the sink's.
    if (cut.signal.aborted) {
      answers = answers.map((one) => (one.type === 'unavailable' ? { type: 'postponed' } : one));
    }
  }
  const queue = [...answers];
  return deliveries.map(({ event }) =>
    event === null
      ? { type: 'skipped', reason: 'The event is not in the log any more.' }
      : (queue.shift() ?? postponed),
  );
};

/** What comes in within a moment is recorded together: each recording costs a transaction. */
const flushSoon = (round: Round): void => {
  round.flushing ??= setTimeout(() => {
    round.flushing = undefined;
    void flush(round);
  }, settleEveryMs);
};

/** Records what has come in, and what comes in meanwhile after that; keeps the lease. */
const flush = (round: Round, renew = false): Promise<void> => {
  round.settling ??= (async () => {
    try {
      if (round.outcomes.length === 0 && renew) await keepLease(round);
      while (round.outcomes.length > 0 && !round.ended.signal.aborted) await settleSome(round, true);
    } catch (error) {
      // Nothing more is sent that could not be recorded; the last settling of the round tries again.
      round.deps.log.warn(
        { err: error, sink: round.open.id },
        'what was delivered could not be recorded yet',
      );
      round.ended.abort(error);
    } finally {
      round.settling = undefined;
    }
  })();
  return round.settling;
};

const keepLease = async (round: Round): Promise<void> => {
  const { deps, lease } = round;
  const now = deps.clock.now();
  if (await renewLease(deps.db, lease, deps.leaseMs, now)) round.leasedUntil = now.getTime() + deps.leaseMs;
  else loseLease(round);
};

const loseLease = ({ ended, cut }: Round): void => {
  ended.abort('the lease is lost');
  cut.abort('the lease is lost');
};

/** What fails is not forgotten: it is there for the next time. */
const settleSome = async (round: Round, keep: boolean): Promise<void> => {
  const { deps, lease, open } = round;
  const outcomes = round.outcomes.splice(0);
  const now = deps.clock.now();
  const until = now.getTime() + deps.leaseMs;
  const options = { kind: open.kind, ...(keep ? { keepUntil: new Date(until) } : {}) };
  const held = await settle(deps.db, lease, outcomes, options, now).catch((error: unknown) => {
    round.outcomes.unshift(...outcomes);
    throw error;
  });
  if (held !== 'lost') {
    round.leasedUntil = until;
    if (held === 'closed') round.ended.abort('the sink gets nothing more');
    return;
  }
  loseLease(round);
  if (outcomes.length > 0) {
    deps.log.warn(
      { sink: open.id, shard: lease.shard, deliveries: outcomes.length },
      'another dispatcher has these deliveries now; they go out again',
    );
  }
};

const settleTries = 5;
const settleWaitMs = 200;

/** Ends the lease. A database that is away for a moment must not make what was delivered go out twice. */
const settleLast = async (round: Round): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await settleSome(round, false);
    } catch (error) {
      if (tries === settleTries) throw error;
      await delay(settleWaitMs * tries);
    }
  }
};
