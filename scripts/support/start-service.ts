/** A service of one's own: `rendermill up` as a child process, stopped as a person would stop it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../rendermill', import.meta.url));
const urlLine = /^ {2}API\s+(http:\/\/\S+)/;

export interface Service {
  readonly url: string;
  readonly key: string;
  readonly process: ChildProcess;
  /** Rejects where it did not end well. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** RENDERMILL_HOME. */
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Each line that it prints: events, as they happen. */
  readonly onLine?: (line: string) => void;
}

export const startService = async (options: ServiceOptions): Promise<Service> => {
  const child = spawn(command, ['up'], {
    env: {
      ...process.env,
      RENDERMILL_HOME: options.home,
      PORT: '0',
      LOG_LEVEL: 'warn',
      ...options.environment,
    },
    // A group of its own: Ctrl-C at the terminal is ours to pass on, once.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await listeningUrl(child, options.onLine ?? (() => undefined));
  const key = (await readFile(join(options.home, 'development-key'), 'utf8')).trim();
  return { url, key, process: child, stop: () => stop(child) };
};

const listeningUrl = (child: ChildProcess, onLine: (line: string) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`rendermill up ended with code ${code} before it listened`)),
    );
    if (child.stdout === null) return reject(new Error('rendermill up has no output'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line);
      const url = urlLine.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  await exited;
  if (child.exitCode !== 0 && child.exitCode !== 130)
    throw new Error(`rendermill up ended with code ${child.exitCode ?? child.signalCode}`);
};
