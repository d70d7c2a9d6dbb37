import type { RenderProgress, RenderSpec } from '../../contract.ts';
import type { ChildSettings, FromChild } from '../messages.ts';
import { beginJob, type RunningJob } from './begin-job.ts';
import { renderComposition } from './render-composition.ts';
import type { Session } from './session.ts';

/** Progress is told this often at most, and whenever the stage changes. */
const reportIntervalMs = 100;

const throttledReport = (send: (message: FromChild) => void): ((progress: RenderProgress) => void) => {
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

export const runRender = (options: {
  readonly openSession: () => Promise<Session>;
  readonly spec: RenderSpec;
  readonly settings: ChildSettings;
  readonly send: (message: FromChild) => void;
}): RunningJob => {
  const { openSession, spec, settings, send } = options;
  return beginJob({
    openSession,
    bundlePath: spec.bundlePath,
    send,
    work: async ({ session, cancelSignal, onFailedUrl }) => {
      const result = await renderComposition(session, spec, settings, {
        cancelSignal,
        checkMediaSource: session.guard.checkMediaSource,
        onProgress: throttledReport(send),
        onAlive: () => send({ type: 'alive' }),
        onFailedUrl,
      });
      return { type: 'done', result };
    },
  });
};
