import { RendermillError } from '../../../../core/errors.ts';
import type { RemoteProgress } from './remote-progress.ts';

/** What is judged of a render's progress. */
export type Signs = Pick<
  RemoteProgress,
  'done' | 'fatalErrorEncountered' | 'renderMetadata' | 'timeoutTimestamp'
>;

export interface Watch {
  /** Milliseconds since 1970, as all here. */
  readonly nowMs: number;
  readonly startedMs: number;
  /** When the progress last said something new. */
  readonly changedMs: number;
  readonly maxRenderMs: number;
  readonly launchWatchdogMs: number;
}

/** Our clock and that of the function may differ, and its last words take their time. */
const clockToleranceMs = 5_000;

/**
 * Once frames are rendered, silence is less of a sign: of many functions each tells every tenth frame or so, and joining and uploading
 * are told when they are done.
 */
const renderingPatience = 3;

/** `going` until something is decided; a RendermillError is our own verdict on a render that says nothing of it itself. */
export const judgeProgress = (signs: Signs, watch: Watch): 'going' | 'done' | 'failed' | RendermillError => {
  if (signs.done) return 'done';
  if (signs.fatalErrorEncountered) return 'failed';
  if (watch.nowMs > signs.timeoutTimestamp + clockToleranceMs) {
    return new RendermillError('render_timeout', {
      message: 'The Lambda function did not finish the render within its time limit.',
    });
  }
  if (watch.nowMs - watch.startedMs >= watch.maxRenderMs) {
    return new RendermillError('render_timeout', {
      message: `The render took longer than the ${watch.maxRenderMs / 1000} seconds that are allowed.`,
      details: { maxRenderMs: watch.maxRenderMs },
    });
  }
  const stallMs = watch.launchWatchdogMs * (signs.renderMetadata === null ? 1 : renderingPatience);
  if (watch.nowMs - watch.changedMs >= stallMs) {
    return new RendermillError('render_stalled', {
      message: `The render on Lambda made no progress for ${stallMs / 1000} seconds.`,
      details: { stallMs },
    });
  }
  return 'going';
};

/** Differs whenever the render has done something. */
export const fingerprintOf = (progress: RemoteProgress): string =>
  JSON.stringify([
    progress.serveUrlOpened,
    progress.compositionValidated,
    progress.renderMetadata !== null,
    progress.lambdasInvoked,
    progress.framesRendered,
    progress.encodingStatus?.framesEncoded,
    progress.combinedFrames,
    progress.timeToCombine,
    progress.chunks,
    progress.retriesInfo.length,
    progress.errors.length,
  ]);
