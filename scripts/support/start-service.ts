/** A service of one's own: `rendermill up` as a child process, stopped as a person would stop it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../rendermill', import.meta.url));
const urlLine = /^ {2}API\s+(http:\/\/\S+)/;
const startTimeoutMs = 180_000;

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

/** The caller's own database, queue and files stay out of it, unless `environment` names them. */
const serviceEnvironment = ({ home, environment }: ServiceOptions): NodeJS.ProcessEnv => {
  const { DATABASE_URL: _db, REDIS_URL: _redis, STORAGE_DIRECTORY: _storage, ...inherited } = process.env;
  const own = { RENDERMILL_HOME: home, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' };
  return { ...inherited, ...own, ...environment };
};

export const startService = async (options: ServiceOptions): Promise<Service> => {
  const child = spawn(command, ['up'], {
    env: serviceEnvironment(options),
    // A group of its own: Ctrl-C at the terminal is ours to pass on, once.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await listeningUrl(child, options.onLine ?? (() => undefined));
    const key = (await readFile(join(options.home, 'development-key'), 'utf8')).trim();
    return { url, key, process: child, stop: () => stop(child) };
  } catch (error) {
    await stop(child).catch(() => undefined);
    throw error;
  }
};

const listeningUrl = (child: ChildProcess, onLine: (line: string) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    const late = () => reject(new Error(`rendermill up said no address within ${startTimeoutMs / 1000} s`));
    const timer = setTimeout(late, startTimeoutMs);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`rendermill up ended with ${signal ?? `code ${code}`} before it listened`)),
    );
    if (child.stdout === null) return reject(new Error('rendermill up has no output'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line);
      const url = urlLine.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await exited;
  }
  if (child.exitCode !== 0)
    throw new Error(`rendermill up ended with ${child.signalCode ?? `code ${child.exitCode}`}`);
};
