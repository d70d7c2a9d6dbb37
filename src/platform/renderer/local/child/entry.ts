/** The render child: one process, one organization, one browser, one job at a time. Its parent speaks to it by IPC. */
import type { FromChild, ToChild } from '../messages.ts';
import type { RunningJob } from './begin-job.ts';
import { runRender } from './run-render.ts';
import { runStills } from './run-stills.ts';
import { openSession, type Session } from './session.ts';

let session: Promise<Session> | null = null;
let running: RunningJob | null = null;

const send = (message: FromChild): void => {
  process.send?.(message);
};

const start = (message: ToChild & { type: 'render' | 'render-stills' }): void => {
  const { settings } = message;
  const openOnce = (): Promise<Session> => {
    session ??= openSession(settings);
    return session;
  };
  const shared = { openSession: openOnce, settings, send };
  const current =
    message.type === 'render'
      ? runRender({ ...shared, spec: message.spec })
      : runStills({ ...shared, spec: message.spec });
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
  if (message.type === 'render' || message.type === 'render-stills') start(message);
  if (message.type === 'cancel') running?.cancel();
  if (message.type === 'close') void close();
});
process.on('disconnect', die);
process.on('uncaughtException', failRunning);
process.on('unhandledRejection', failRunning);
send({ type: 'ready' });
