/** Whether the storage can be used, for whoever asks however often: a bucket is asked once in some seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { RendermillError } from '../../core/errors.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Storage } from '../../platform/storage/contract.ts';

export interface StorageProbeDeps {
  readonly storage: Pick<Storage, 'check'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longer than that is an answer, too: no. */
  readonly patienceMs?: number;
}

const usualPatienceMs = 3_000;
const freshMs = 5_000;
/** Where it lies and why it fails is for the log: whoever may ask for readiness need not know the bucket. */
const unusable = "The storage of finished files cannot be used: the API's log says why.";

/** Resolves with what is wrong in a sentence, undefined where nothing is. Logs when that changes. Never rejects. */
export const createStorageProbe = ({
  storage,
  clock,
  log,
  patienceMs = usualPatienceMs,
}: StorageProbeDeps): (() => Promise<string | undefined>) => {
  let problem: string | undefined;
  let lookedAt: number | undefined;
  let checking: Promise<unknown> | undefined;
  let looking: Promise<string | undefined> | undefined;

  const isFresh = (): boolean =>
    lookedAt !== undefined && Math.abs(clock.now().getTime() - lookedAt) < freshMs;

  /** A check that hangs is asked again for its answer, and not started beside itself. */
  const failureWithin = async (): Promise<unknown> => {
    checking ??= storage
      .check()
      .then(
        () => null,
        (error: unknown) => error,
      )
      .finally(() => {
        checking = undefined;
      });
    const timer = new AbortController();
    const late = delay(patienceMs, tooLate(patienceMs), { signal: timer.signal, ref: false }).catch(
      () => null,
    );
    const failure = await Promise.race([checking, late]);
    timer.abort();
    return failure;
  };

  const look = async (): Promise<string | undefined> => {
    const failure = await failureWithin();
    if (failure !== null && problem === undefined) log.error({ err: failure }, 'storage cannot be used');
    if (failure === null && problem !== undefined) log.info('storage can be used again');
    problem = failure === null ? undefined : unusable;
    lookedAt = clock.now().getTime();
    return problem;
  };

  return async () => {
    if (isFresh()) return problem;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
};

const tooLate = (patienceMs: number): RendermillError =>
  new RendermillError('storage_unavailable', {
    message: `The storage did not answer within ${patienceMs} ms.`,
  });
