/** What work that did not come to its end means: for whoever holds it, and for the queue. */
import { errorCatalog, RendermillError } from '../../core/errors.ts';
import type { FailureReason } from '../../domain/exports/fail-export.ts';
import type { Tx } from '../../platform/db/client.ts';
import { GiveUpError } from '../../platform/queue/contract.ts';
import { maxFailedAttempts } from './attempts.ts';
import type { EndReason, Hold } from './hold.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { whileUnavailable } from './while-unavailable.ts';

/** The ends that a piece of work can come to beside its own. Each may throw `render_lost`: then someone else has settled it. */
export interface Ends {
  /** Facts for the log. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly failedAttempts: number;
  canceled(tx: Tx): Promise<unknown>;
  handBack(tx: Tx): Promise<unknown>;
  awaitRetry(tx: Tx, reason: FailureReason): Promise<unknown>;
  fail(tx: Tx, reason: FailureReason): Promise<unknown>;
  /** After an end for good. */
  cleanUp(): Promise<void>;
}

const asRendermillError = (thrown: unknown): RendermillError =>
  thrown instanceof RendermillError ? thrown : new RendermillError('render_failed', { cause: thrown });

const earlyEnd = (error: RendermillError, hold: Hold): EndReason | undefined => {
  if (error.code === 'shutting_down') return 'stopping';
  return error.code === 'render_canceled' ? hold.reason() : undefined;
};

const isWorthAnother = ({ code, retryable }: RendermillError, failedAttempts: number): boolean =>
  retryable &&
  failedAttempts + 1 < Math.min(maxFailedAttempts, errorCatalog[code].maxAttempts ?? maxFailedAttempts);

/** Throws where the queue is to know of it. */
export const settleWork = async (
  deps: RunRenderDeps,
  hold: Hold,
  thrown: unknown,
  ends: Ends,
): Promise<void> => {
  const error = asRendermillError(thrown);
  // It has an end already, or another holder: what is cleaned up is that of an end.
  if (error.code === 'render_lost') return ends.cleanUp();
  const early = earlyEnd(error, hold);
  if (early !== undefined) {
    if (early === 'canceled') await write(deps, (tx) => ends.canceled(tx));
    if (early === 'stopping') await write(deps, (tx) => ends.handBack(tx));
    return ends.cleanUp();
  }
  deps.log.warn({ err: thrown, code: error.code, ...ends.facts }, 'a render failed');
  const reason = { code: error.code, text: error.message };
  if (isWorthAnother(error, ends.failedAttempts)) {
    await write(deps, (tx) => ends.awaitRetry(tx, reason));
    throw error;
  }
  await write(deps, (tx) => ends.fail(tx, reason));
  await ends.cleanUp();
  throw new GiveUpError(`${error.code}: ${error.message}`);
};

/** `render_lost` means that someone else has settled it. */
export const write = async (deps: RunRenderDeps, work: (tx: Tx) => Promise<unknown>): Promise<void> => {
  try {
    await whileUnavailable(deps.log, () => deps.db.transaction().execute(work));
  } catch (error) {
    if (!(error instanceof RendermillError && error.code === 'render_lost')) throw error;
  }
};
