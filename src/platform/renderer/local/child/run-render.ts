import { makeCancelSignal } from '@remotion/renderer';
import { RendermillError } from '../../../../core/errors.ts';
import type { RenderProgress, RenderSpec } from '../../contract.ts';
import { type ChildSettings, type FromChild, toWire } from '../messages.ts';
import { classifyRenderError } from './classify-error.ts';
import { renderComposition } from './render-composition.ts';
import type { Session } from './session.ts';
import { findThrownAt } from './thrown-at.ts';

export interface RunningRender {
  /** Answers at once, whatever Remotion is busy with. */
  cancel(): void;
  /** Ends the render with an error that nobody caught: Remotion drops some of its promises when a browser dies. */
  fail(error: unknown): void;
  readonly ended: Promise<void>;
}

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

const classify = async (
  error: unknown,
  session: Session | null,
  spec: RenderSpec,
  failedUrls: readonly string[],
): Promise<RendermillError> =>
  classifyRenderError(error, {
    blocked: session?.guard.takeBlocked() ?? [],
    failedUrls,
    browserAnswers: (await session?.answers()) ?? false,
    thrownAt: await findThrownAt(error, spec.bundlePath).catch(() => null),
  });

export const runRender = (options: {
  readonly openSession: () => Promise<Session>;
  readonly spec: RenderSpec;
  readonly settings: ChildSettings;
  readonly send: (message: FromChild) => void;
}): RunningRender => {
  const { openSession, spec, settings, send } = options;
  const { cancel, cancelSignal } = makeCancelSignal();
  let interrupt: (error: unknown) => void = () => undefined;
  const interruption = new Promise<never>((_, reject) => {
    interrupt = reject;
  });
  const failedUrls: string[] = [];
  let session: Session | null = null;
  const render = async () => {
    session = await openSession();
    session.guard.takeBlocked();
    const leaveContext = await session.enterContext();
    const result = await renderComposition(session, spec, settings, {
      cancelSignal,
      checkMediaSource: session.guard.checkMediaSource,
      onProgress: throttledReport(send),
      onAlive: () => send({ type: 'alive' }),
      onFailedUrl: (url) => failedUrls.push(url),
    });
    // A failed render takes its whole browser with it.
    await leaveContext();
    return result;
  };
  const ended = Promise.race([render(), interruption]).then(
    (result) => send({ type: 'done', result }),
    async (error: unknown) =>
      send({ type: 'failed', error: toWire(await classify(error, session, spec, failedUrls)) }),
  );
  return {
    cancel: () => {
      cancel();
      interrupt(new RendermillError('render_canceled'));
    },
    fail: interrupt,
    ended,
  };
};
