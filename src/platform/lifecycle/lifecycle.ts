/**
 * The one owner of shutdown in a process: what was started says here, by name, how it is stopped.
 *
 * Plain handlers and no library: close-with-grace ends the process after every stop, also one that a program asks for, answers a
 * second signal with exit code 1 instead of 130 or 143, and takes `beforeExit`, SIGHUP and others along.
 */
import { setMaxListeners } from 'node:events';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import { createLastActs } from './last-acts.ts';
import { runInReverse, type StopHandler } from './run-in-reverse.ts';
import { listenToSignals } from './signals.ts';

export interface Lifecycle {
  /**
   * What is registered last is stopped first; registered after the stop has ended: at once. A failure is logged and stops no other.
   * `atOnce` is called instead where the process ends before that stop has ended.
   */
  onStop(name: string, stop: () => Promise<void>, atOnce?: () => void): void;
  /**
   * Runs the handlers, once: every caller gets the same promise, which never rejects. The process goes on (a failed handler sets
   * its exit code to 1), unless the deadline passes: then it ends, with exit code 1.
   */
  stop(reason: string): Promise<void>;
  /** Aborted, with `shutting_down`, when the stop begins: take no new work. */
  readonly stopping: AbortSignal;
  /**
   * For the process' entry point. The first SIGINT or SIGTERM stops and ends the process (exit code 0, or 1 where a handler
   * failed); the second means now (130 or 143). An error that nobody caught is logged and stops with exit code 1.
   */
  listenToSignals(): void;
}

export const createLifecycle = (options: { log: Logger; deadlineMs: number }): Lifecycle => {
  const { log, deadlineMs } = options;
  const controller = new AbortController();
  // Every running job listens; that is no leak.
  setMaxListeners(0, controller.signal);
  const handlers: StopHandler[] = [];
  const lastActs = createLastActs(log);
  let stopped: Promise<void> | undefined;
  let ended = false;

  const run = async () => {
    const deadline = setTimeout(() => endNow(log, deadlineMs), deadlineMs);
    const failures = await runInReverse(handlers, log);
    clearTimeout(deadline);
    ended = true;
    if (failures > 0) process.exitCode = 1;
  };

  const stop = (reason: string): Promise<void> => {
    if (stopped) return stopped;
    log.info({ reason }, 'stopping');
    // Handlers and listeners may ask for the stop again: there must be a promise to give them.
    stopped = Promise.resolve().then(run);
    controller.abort(new RendermillError('shutting_down'));
    return stopped;
  };

  return {
    onStop: (name, handler, atOnce) => {
      const takeOff = atOnce === undefined ? () => undefined : lastActs.add(name, atOnce);
      handlers.push({ name, stop: () => handler().then(takeOff) });
      if (ended) void runInReverse(handlers, log);
    },
    stop,
    stopping: controller.signal,
    listenToSignals: () => listenToSignals({ stop, log }),
  };
};

const endNow = (log: Logger, deadlineMs: number): never => {
  log.error({ deadlineMs }, 'the stop took longer than is allowed; ending now');
  process.exit(1);
};
