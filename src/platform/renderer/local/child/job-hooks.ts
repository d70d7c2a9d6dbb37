import type { RenderProgress } from '../../contract.ts';
import type { FromChild } from '../messages.ts';
import type { JobTools } from './begin-job.ts';
import type { RenderHooks } from './video-options.ts';

type Send = (message: FromChild) => void;

/** Progress is told this often at most, and whenever the stage changes. */
const reportIntervalMs = 100;

const throttledReport = (send: Send): ((progress: RenderProgress) => void) => {
  let toldMs = 0;
  let toldStage = '';
  return (progress) => {
    const nowMs = performance.now();
    if (progress.stage === toldStage && progress.percent < 100 && nowMs - toldMs < reportIntervalMs) return;
    toldMs = nowMs;
    toldStage = progress.stage;
    send({ type: 'progress', progress });
  };
};

/** What every job tells its parent on the way. */
export const reportTo = (send: Send) => ({
  onProgress: throttledReport(send),
  onAlive: () => send({ type: 'alive' }),
});

export const renderHooks = (
  { session, cancelSignal, onFailedUrl }: Pick<JobTools, 'session' | 'cancelSignal' | 'onFailedUrl'>,
  send: Send,
): RenderHooks => ({
  ...reportTo(send),
  cancelSignal,
  checkMediaSource: session.guard.checkMediaSource,
  onFailedUrl,
});
