import type { FromChild, JobMessage } from '../messages.ts';
import { beginJob, beginPlainJob, type RunningJob } from './begin-job.ts';
import { renderHooks, reportTo } from './job-hooks.ts';
import { joinChunks } from './join-chunks.ts';
import { measureVideo } from './measure-video.ts';
import { renderChunk } from './render-chunk.ts';
import { renderComposition } from './render-composition.ts';
import type { Session } from './session.ts';

export type RenderMessage = Extract<
  JobMessage,
  { readonly type: 'render' | 'measure-video' | 'render-chunk' }
>;

const perform = async (
  message: RenderMessage,
  session: Session,
  hooks: ReturnType<typeof renderHooks>,
): Promise<FromChild> => {
  const { settings } = message;
  if (message.type === 'measure-video') {
    return { type: 'measured', video: await measureVideo(session, message.spec, settings, hooks) };
  }
  if (message.type === 'render-chunk') {
    return { type: 'chunk-done', result: await renderChunk(session, message.spec, settings, hooks) };
  }
  return { type: 'done', result: await renderComposition(session, message.spec, settings, hooks) };
};

export const runRender = (options: {
  readonly message: RenderMessage;
  readonly openSession: () => Promise<Session>;
  readonly send: (message: FromChild) => void;
}): RunningJob => {
  const { message, openSession, send } = options;
  return beginJob({
    openSession,
    bundlePath: message.spec.bundlePath,
    send,
    work: (tools) => perform(message, tools.session, renderHooks(tools, send)),
  });
};

export const runJoin = (
  { spec }: Extract<JobMessage, { readonly type: 'join-chunks' }>,
  send: (message: FromChild) => void,
): RunningJob =>
  beginPlainJob(send, async ({ cancelSignal }) => ({
    type: 'done',
    result: await joinChunks(spec, { ...reportTo(send), cancelSignal }),
  }));
