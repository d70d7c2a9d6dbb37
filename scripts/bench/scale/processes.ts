/** Processes of the bench: whatever becomes of it, none of them stays. */
import { type ChildProcess, type ForkOptions, fork, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();
let closed = false;

const watched = (start: () => ChildProcess): ChildProcess => {
  if (closed) throw new Error('the bench is over');
  const child = start();
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

export const startCommand = (command: string, args: readonly string[], options: SpawnOptions): ChildProcess =>
  watched(() => spawn(command, args, options));

/** A file of this folder. */
export const startScript = (file: string, args: readonly string[], options: ForkOptions = {}): ChildProcess =>
  watched(() =>
    fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      ...options,
      execArgv: ['--import', 'tsx'],
    }),
  );

export const pidOf = (child: ChildProcess): number => {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
};

export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

/** Resolves when it has ended by itself, and well. */
export const ended = async (child: ChildProcess, what: string): Promise<void> => {
  if (!hasEnded(child)) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${what} ended with ${child.signalCode ?? child.exitCode}`);
};

/** Resolves with its next message; rejects where it ends instead. */
export const nextMessage = async (child: ChildProcess, what: string): Promise<void> => {
  const gone = new AbortController();
  const exit = once(child, 'exit', { signal: gone.signal }).then(() => {
    throw new Error(`${what} ended with ${child.signalCode ?? child.exitCode}`);
  });
  try {
    await Promise.race([once(child, 'message', { signal: gone.signal }), exit]);
  } finally {
    // Whoever waits for the exit hears of it there.
    exit.catch(() => undefined);
    gone.abort();
  }
};

/** As a supervisor would. */
export const endProcess = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
};

/** From now on none can be started. */
export const endAll = async (): Promise<void> => {
  closed = true;
  await Promise.all([...running].map(endProcess));
};
