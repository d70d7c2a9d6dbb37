/** The render child: one process, one organization, one browser, one job at a time. Its parent speaks to it by IPC. */
import type { ChildSettings, FromChild, JobMessage, ToChild } from '../messages.ts';
import type { RunningJob } from './begin-job.ts';
import { runJoin, runRender } from './run-render.ts';
import { runStills } from './run-stills.ts';
import { openSession, type Session } from './session.ts';

let session: Promise<Session> | null = null;
let running: RunningJob | null = null;

const send = (message: FromChild): void => {
  process.send?.(message);
};

const openOnce = (settings: ChildSettings) => (): Promise<Session> => {
  session ??= openSession(settings);
  return session;
};

const begin = (message: JobMessage): RunningJob => {
  if (message.type === 'join-chunks') return runJoin(message, send);
  const shared = { openSession: openOnce(message.settings), send };
  return message.type === 'render-stills'
    ? runStills({ ...shared, spec: message.spec, settings: message.settings })
    : runRender({ ...shared, message });
};

const start = (message: JobMessage): void => {
  const current = begin(message);
  running = current;
  void current.ended.finally(() => {
    running = null;
  });
};

const close = async (): Promise<void> => {
  await session?.then((open) => open.close()).catch(() => undefined);
  process.exit(0);
};

/** The parent is dead: so is whatever waited for the render. ffmpeg and the compositor are in our group, the browser dies with us. */
const die = (): void => {
  process.once('exit', () => process.kill(-process.pid, 'SIGKILL'));
  process.exit(1);
};

const failRunning = (error: unknown): void => {
  if (running === null) process.exit(1);
  running.fail(error);
};

process.on('message', (message: ToChild) => {
  if (message.type === 'cancel') running?.cancel();
  else if (message.type === 'close') void close();
  else start(message);
});
process.on('disconnect', die);
process.on('uncaughtException', failRunning);
process.on('unhandledRejection', failRunning);
send({ type: 'ready' });
