import { RendermillError } from '../../../../core/errors.ts';
import type { RemoteRender } from '../../contract.ts';
import type { Workplace } from '../workplace.ts';
import { fingerprintOf, judgeProgress } from './judge-progress.ts';
import { type RemoteProgress, readProgress } from './remote-progress.ts';

export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly maxRenderMs: number;
  /** Resolves before the next look. */
  readonly onLook: (progress: RemoteProgress) => Promise<void>;
}

export interface RemoteEnd {
  readonly type: 'done' | 'failed';
  readonly progress: RemoteProgress;
}

/** Looks that may fail one after the other, each a little later than the one before: half a minute of them. */
const maxFailedLooks = 6;
const maxBackoff = 8;

/** Between once and twice as long, so that those who watch many renders do not look at all of them at once. */
const withJitter = (ms: number): number => ms * (1 + Math.random());

/** Ends early when the render is heard of, or when nobody wants to know any more. */
const waitFor = async (
  ms: number,
  signal: AbortSignal,
  onHint: ((wake: () => void) => () => void) | undefined,
): Promise<void> => {
  let unlisten: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wake: () => void = () => undefined;
  await new Promise<void>((resolve) => {
    wake = resolve;
    timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', wake, { once: true });
    unlisten = onHint?.(wake);
  });
  clearTimeout(timer);
  signal.removeEventListener('abort', wake);
  unlisten?.();
};

/**
 * Watches a render until it has come to an end. Rejects with our own verdict on one that does not: `render_timeout`, `render_stalled`;
 * with `lambda_unavailable` when the bucket cannot be read, which says nothing of the render; and with `render_canceled` on abort.
 */
export const watchRender = async (
  workplace: Workplace,
  remote: RemoteRender,
  { signal, maxRenderMs, onLook }: WatchOptions,
): Promise<RemoteEnd> => {
  const { clock, pollMs, launchWatchdogMs, log, onHint } = workplace.settings;
  const startedMs = Date.parse(remote.startedAt);
  let changedMs = clock.now().getTime();
  let fingerprint = '';
  let failedLooks = 0;

  const judge = (progress: RemoteProgress) => {
    const nowMs = clock.now().getTime();
    const seen = fingerprintOf(progress);
    if (seen !== fingerprint) changedMs = nowMs;
    fingerprint = seen;
    return judgeProgress(progress, { nowMs, startedMs, changedMs, maxRenderMs, launchWatchdogMs });
  };

  const look = async (): Promise<RemoteEnd | null> => {
    const progress = await readProgress(workplace, remote);
    failedLooks = 0;
    if (progress === null) {
      throw new RendermillError('render_failed', {
        cause: new Error(`The progress of ${remote.renderId} is gone from ${remote.bucketName}.`),
      });
    }
    await onLook(progress);
    const verdict = judge(progress);
    if (verdict instanceof RendermillError) throw verdict;
    return verdict === 'going' ? null : { type: verdict, progress };
  };

  for (;;) {
    if (signal.aborted) throw new RendermillError('render_canceled');
    try {
      const end = await look();
      if (end !== null) return end;
    } catch (error) {
      if (error instanceof RendermillError) throw error;
      failedLooks += 1;
      log.warn({ err: error, renderId: remote.renderId, failedLooks }, 'progress not readable');
      if (failedLooks >= maxFailedLooks) throw new RendermillError('lambda_unavailable', { cause: error });
    }
    const backoff = Math.min(maxBackoff, 2 ** failedLooks);
    await waitFor(withJitter(pollMs * backoff), signal, onHint && ((wake) => onHint(remote.renderId, wake)));
  }
};
