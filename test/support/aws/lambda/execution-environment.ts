import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

/** How to start the process that loads the handler (see bootstrap.mjs). */
export interface ProcessCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to what Lambda itself sets. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Invocation {
  readonly requestId: string;
  /** JSON. */
  readonly payload: string;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  readonly onChunk: (chunk: Buffer) => void;
}

/** `details` is the JSON that AWS shows: `{ errorType, errorMessage, trace? }`. */
export type Outcome = { readonly error: null } | { readonly error: string; readonly details: string };

export interface ExecutionEnvironment {
  readonly id: string;
  /** Alive, and free for the next invocation. */
  isIdle(): boolean;
  /** One at a time. Never rejects. */
  invoke(invocation: Invocation): Promise<Outcome>;
  /** The whole process group, at once; resolves when it is gone. */
  kill(): Promise<void>;
}

/** What bootstrap.mjs sends. */
type Message =
  | { readonly kind: 'chunk'; readonly data: Uint8Array }
  | { readonly kind: 'end' }
  | {
      readonly kind: 'error';
      readonly errorType: string;
      readonly errorMessage: string;
      readonly trace: string[];
    };

interface Current extends Invocation {
  settle(outcome: Outcome): void;
}

const failure = (error: string, requestId: string, text: string): Outcome => ({
  error,
  details: JSON.stringify({ errorType: error, errorMessage: `RequestId: ${requestId} Error: ${text}` }),
});

/** A sandbox tells of a signal as 128 plus its number; of these, 128 and 129 are Node's own exits. */
const describeExit = (code: number | null, signal: NodeJS.Signals | null): string => {
  if (signal !== null || code === 137) return 'signal: killed';
  return `exit status ${code}`;
};

const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const startProcess = (
  { program, args, environment }: ProcessCommand,
  variables: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): ChildProcess => {
  const child = spawn(program, args, {
    cwd: '/',
    env: { ...variables, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own, so that its browser can be killed with it.
    detached: true,
    serialization: 'advanced',
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', onLine);
  return child;
};

/**
 * One process that serves one invocation after the other, as Lambda's do: kept warm in between, killed at a time-out. It ends with this
 * process, too, because its channel closes.
 */
export const startEnvironment = (
  command: ProcessCommand,
  variables: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): ExecutionEnvironment => {
  const id = randomUUID().slice(0, 8);
  const child = startProcess(command, variables, (line) => onLine(`[${id}] ${line}`));
  let current: Current | null = null;
  let isAlive = true;
  let hasExited = false;
  let markGone: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    markGone = resolve;
  });

  const end = (text: string): void => {
    // What it left behind; later its number may be another's.
    killGroup(child);
    isAlive = false;
    hasExited = true;
    current?.settle(failure('Runtime.ExitError', current.requestId, `Runtime exited with error: ${text}`));
    markGone();
  };
  child.once('exit', (code, signal) => end(describeExit(code, signal)));
  child.once('error', (error) => end(error.message));
  child.on('message', (message: Message) => {
    if (message.kind === 'chunk') current?.onChunk(Buffer.from(message.data));
    if (message.kind === 'end') current?.settle({ error: null });
    if (message.kind === 'error') {
      const { kind, ...details } = message;
      current?.settle({ error: 'Unhandled', details: JSON.stringify(details) });
    }
  });

  const invoke = (invocation: Invocation): Promise<Outcome> =>
    new Promise((resolve) => {
      const { requestId, payload, functionArn, timeoutSeconds } = invocation;
      const timer = setTimeout(() => {
        current?.settle(
          failure('Sandbox.Timedout', requestId, `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`),
        );
        killGroup(child);
      }, timeoutSeconds * 1000);
      current = {
        ...invocation,
        settle: (outcome) => {
          clearTimeout(timer);
          current = null;
          if (outcome.error !== null && outcome.error !== 'Unhandled') isAlive = false;
          resolve(outcome);
        },
      };
      const deadline = Date.now() + timeoutSeconds * 1000;
      // A process that is gone says so itself, by its exit.
      child.send({ kind: 'invoke', requestId, payload, functionArn, deadline }, () => undefined);
    });

  return {
    id,
    isIdle: () => isAlive && current === null,
    invoke,
    kill: async () => {
      if (!hasExited) killGroup(child);
      await gone;
    },
  };
};
