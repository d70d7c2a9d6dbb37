/** The render child: one process, one organization, one browser, one render at a time. Its parent speaks to it by IPC. */
import type { FromChild, ToChild } from '../messages.ts';
import { type RunningRender, runRender } from './run-render.ts';
import { openSession, type Session } from './session.ts';

let session: Promise<Session> | null = null;
let running: RunningRender | null = null;

const send = (message: FromChild): void => {
  process.send?.(message);
};

const render = (message: ToChild & { type: 'render' }): void => {
  const { spec, settings } = message;
  const openOnce = (): Promise<Session> => {
    session ??= openSession(settings);
    return session;
  };
  const current = runRender({ openSession: openOnce, spec, settings, send });
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
  if (message.type === 'render') render(message);
  if (message.type === 'cancel') running?.cancel();
  if (message.type === 'close') void close();
});
process.on('disconnect', die);
process.on('uncaughtException', failRunning);
process.on('unhandledRejection', failRunning);
send({ type: 'ready' });
