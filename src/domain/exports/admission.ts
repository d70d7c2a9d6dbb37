/**
 * Whether there is room for more. An installation that accepts faster than it renders would only make everybody wait longer; beyond
 * a bound it says so instead, before anything is reserved or charged.
 *
 * What waits is counted at most once a second, what this process accepts since then is added. So one process goes beyond the bound
 * by no more than what was on its way into the database during the count; of several, each by what the others accept until it counts
 * again.
 */
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { type LineSample, secondsUntilRoom } from '../../core/seconds-until-room.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Reader } from '../../platform/db/client.ts';

export interface Admission {
  /** Counts again where the last count is too old. To be awaited while no connection is held: it needs one. */
  look(): Promise<void>;
  /**
   * `service_overloaded` where so many more do not fit by the last count, `invalid_request` where they would not fit into an empty
   * line either, else null.
   */
  refusalOf(exports: number): RendermillError | null;
  /** Throws what `refusalOf` finds. */
  assertRoom(exports: number): void;
  /** Ahead of knowing how many are asked for: throws `service_overloaded` where not even one fits. */
  assertAnyRoom(): void;
  /** As `assertRoom`, and from now on they wait: for the end of the transaction that accepts them. */
  take(exports: number): void;
  /** How often this process has refused because others wait. */
  refused(): number;
}

export interface AdmissionDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Of the whole installation: exports, and cells of batches that are no exports yet. */
  readonly maxWaiting: number;
}

const leastFreshMs = 1_000;
const mostFreshMs = 10_000;
/** A count of a long line on a busy database takes a while: so it is at work a tenth of the time at most. */
const freshPerCount = 10;
/** Long enough to see slow videos leave, short enough to be of use. */
const paceMs = 60_000;

export const createAdmission = ({ db, clock, maxWaiting }: AdmissionDeps): Admission => {
  let samples: readonly LineSample[] = [];
  let accepted = 0;
  let refused = 0;
  let lookedAt: number | undefined;
  let freshMs = leastFreshMs;
  let looking: Promise<void> | undefined;

  const isFresh = (): boolean => {
    return lookedAt !== undefined && Math.abs(clock.now().getTime() - lookedAt) < freshMs;
  };

  const count = async (): Promise<void> => {
    const at = clock.now().getTime();
    // What is accepted during the count may or may not be in it: it is added.
    const sample = { at, accepted, waiting: await countWaiting(db, maxWaiting) };
    lookedAt = clock.now().getTime();
    freshMs = Math.min(mostFreshMs, Math.max(leastFreshMs, (lookedAt - at) * freshPerCount));
    samples = [...samples.filter((one) => Math.abs(at - one.at) < paceMs), sample];
  };

  const waitingNow = (): number => {
    const last = samples.at(-1) ?? { waiting: 0, accepted: 0 };
    return last.waiting + accepted - last.accepted;
  };
  const overloaded = (excess: number, asked: string): RendermillError =>
    tooManyWait({ waiting: waitingNow(), maxWaiting, asked, seconds: secondsUntilRoom(samples, excess) });

  const refusalOf = (exports: number): RendermillError | null => {
    if (exports > maxWaiting) return neverFits(exports, maxWaiting);
    const excess = waitingNow() + exports - maxWaiting;
    return excess <= 0
      ? null
      : overloaded(excess, exports === 1 ? 'one more was asked for' : `${exports} more were asked for`);
  };

  const refuse = (refusal: RendermillError | null): void => {
    if (refusal === null) return;
    if (refusal.code === 'service_overloaded') refused += 1;
    throw refusal;
  };
  const assertRoom = (exports: number): void => refuse(refusalOf(exports));

  return {
    look: async () => {
      if (isFresh()) return;
      looking ??= count().finally(() => {
        looking = undefined;
      });
      await looking;
    },
    refusalOf,
    assertRoom,
    assertAnyRoom: () => {
      const excess = waitingNow() + 1 - maxWaiting;
      if (excess > 0) refuse(overloaded(excess, 'more were asked for'));
    },
    take: (exports) => {
      assertRoom(exports);
      accepted += exports;
    },
    refused: () => refused,
  };
};

/** Waiting would not help: so it is the request that has to change. */
const neverFits = (exports: number, maxWaiting: number): RendermillError =>
  new RendermillError('invalid_request', {
    message:
      `${exports} renders were asked for at once, and this installation lets ${maxWaiting} wait at most (MAX_WAITING_RENDERS). ` +
      `Split them: at most ${maxWaiting} in one request.`,
    details: { exports, limit: maxWaiting },
  });

const tooManyWait = (given: {
  waiting: number;
  maxWaiting: number;
  /** In words. */
  asked: string;
  seconds: number;
}): RendermillError => {
  const { waiting, maxWaiting, asked, seconds } = given;
  return new RendermillError('service_overloaded', {
    message: `${waiting} renders are waiting, ${asked}, and this installation lets ${maxWaiting} wait. Nothing was reserved. Try again in ${seconds} seconds.`,
    details: { waiting, limit: maxWaiting, retryAfterSeconds: seconds },
  });
};

/** Of exports no more than `most` are looked at, each by its entry in a partial index; unplanned cells are a sum over few runs. */
const countWaiting = async (db: Reader, most: number): Promise<number> => {
  const { rows } = await sql<{ waiting: number }>`
    SELECT (
      (SELECT count(*) FROM (SELECT FROM export
        WHERE status IN ('queued', 'started') AND fed_at IS NULL LIMIT ${most}) AS line)
      + (SELECT count(*) FROM (SELECT FROM export
        WHERE status = 'queued' AND fed_at IS NOT NULL LIMIT ${most}) AS planned)
      + (SELECT coalesce(sum(total - planned), 0) FROM batch_run WHERE due AND cancel_requested_at IS NULL)
    )::int AS waiting`.execute(db);
  return rows[0]?.waiting ?? 0;
};
