import { type ChildProcess, fork } from 'node:child_process';
import { childEntry, childEnvironment, loaderArguments } from '../../child-entry.ts';

const entry = childEntry(import.meta.url, '../child/entry');

/** In a process group of its own, so that ffmpeg and the compositor can be ended together with it. */
export const forkChild = (directory: string): ChildProcess =>
  fork(entry, [], {
    cwd: directory,
    detached: true,
    env: childEnvironment(process.env, directory),
    execArgv: loaderArguments(),
    // Props may hold Dates, which JSON would turn into text.
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
