import { type CancelSignal, makeCancelSignal } from '@remotion/renderer';
import { RendermillError } from '../../../../core/errors.ts';
import { type FromChild, toWire } from '../messages.ts';
import { classifyRenderError } from './classify-error.ts';
import type { Session } from './session.ts';
import { findThrownAt } from './thrown-at.ts';

export interface RunningJob {
  /** Answers at once, whatever Remotion is busy with. */
  cancel(): void;
  /** Ends the job with an error that nobody caught: Remotion drops some of its promises when a browser dies. */
  fail(error: unknown): void;
  readonly ended: Promise<void>;
}

export interface JobTools {
  readonly session: Session;
  readonly cancelSignal: CancelSignal;
  readonly onFailedUrl: (url: string) => void;
  /** In words for the tenant's developer, with the evidence since the last time. */
  readonly classify: (error: unknown) => Promise<RendermillError>;
  /** What was seen so far belongs to nobody's failure. */
  readonly forgetEvidence: () => void;
}

const startEvidence = (session: Session, bundlePath: string) => {
  let failedUrls: string[] = [];
  session.guard.takeBlocked();
  const forgetEvidence = (): void => {
    failedUrls = [];
    session.guard.takeBlocked();
  };
  const classify = async (error: unknown): Promise<RendermillError> => {
    const evidence = { blocked: session.guard.takeBlocked(), failedUrls };
    failedUrls = [];
    return classifyRenderError(error, {
      ...evidence,
      browserAnswers: await session.answers(),
      thrownAt: await findThrownAt(error, bundlePath).catch(() => null),
    });
  };
  return { classify, forgetEvidence, onFailedUrl: (url: string) => void failedUrls.push(url) };
};

type Classify = JobTools['classify'];

/**
 * Does the work and sends what it returns, or why it failed: in the words of `classifyRenderError`, unless the work has `explainBy`
 * given better ones.
 */
export const beginPlainJob = (
  send: (message: FromChild) => void,
  work: (tools: {
    readonly cancelSignal: CancelSignal;
    readonly explainBy: (classify: Classify) => void;
  }) => Promise<FromChild>,
): RunningJob => {
  const { cancel, cancelSignal } = makeCancelSignal();
  let interrupt: (error: unknown) => void = () => undefined;
  const interruption = new Promise<never>((_, reject) => {
    interrupt = reject;
  });
  let classify: Classify = async (error) => classifyRenderError(error);
  const explainBy = (better: Classify): void => {
    classify = better;
  };
  const ended = Promise.race([work({ cancelSignal, explainBy }), interruption]).then(
    send,
    async (error: unknown) => send({ type: 'failed', error: toWire(await classify(error)) }),
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

/** The same in a browser context of its own. */
export const beginJob = (options: {
  readonly openSession: () => Promise<Session>;
  readonly bundlePath: string;
  readonly send: (message: FromChild) => void;
  readonly work: (tools: JobTools) => Promise<FromChild>;
}): RunningJob =>
  beginPlainJob(options.send, async ({ cancelSignal, explainBy }) => {
    const session = await options.openSession();
    const evidence = startEvidence(session, options.bundlePath);
    explainBy(evidence.classify);
    const leaveContext = await session.enterContext();
    const answer = await options.work({ session, cancelSignal, ...evidence });
    // A failed job takes its whole browser with it.
    await leaveContext();
    return answer;
  });
