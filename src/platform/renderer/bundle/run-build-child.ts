import { type ChildProcess, fork } from 'node:child_process';
import { childEntry, childEnvironment, loaderArguments } from '../child-entry.ts';
import type { BuildAnswer, BuildRequest } from './build-messages.ts';
import { bundleFailed } from './bundle-failed.ts';

/** After SIGTERM the process ends its browser; only a hanging one needs SIGKILL. */
const graceMs = 2_000;

const startChild = (request: BuildRequest): ChildProcess =>
  fork(childEntry(import.meta.url, './build-child'), {
    execArgv: loaderArguments(),
    env: childEnvironment(process.env, request.directory),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });

/** Only the end of what it printed: enough to see what it died of. */
const keepLastOutput = (child: ChildProcess): (() => string) => {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-2_000);
  });
  return () => text.trim();
};

const stop = (child: ChildProcess): void => {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  child.once('exit', () => clearTimeout(timer));
};

/** The answer of a fresh process, once that process is gone. A project that never ends is stopped at the deadline. */
export const runBuildChild = (request: BuildRequest, deadlineMs: number): Promise<BuildAnswer> =>
  new Promise((resolve, reject) => {
    const child = startChild(request);
    const lastOutput = keepLastOutput(child);
    let answer: BuildAnswer | null = null;
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      stop(child);
    }, deadlineMs);
    child.once('message', (message: BuildAnswer) => {
      answer = message;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(deadline);
      if (answer !== null) return resolve(answer);
      if (isLate)
        return reject(bundleFailed(`The project could not be bundled within ${deadlineMs / 1000} seconds.`));
      resolve({ kind: 'crashed', message: `The process ended with ${signal ?? code}. ${lastOutput()}` });
    });
    child.send(request);
  });
