import { runCli } from '../../../src/apps/cli/run-cli.ts';
import type { Lifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';

export interface CommandResult {
  readonly exitCode: number;
  /** Lines. */
  readonly out: readonly string[];
  readonly err: readonly string[];
}

export interface RunningCommand {
  readonly result: Promise<CommandResult>;
  /** Grows while it runs. */
  readonly out: readonly string[];
  /** As a signal would. */
  stop(): Promise<void>;
  interrupt(): void;
}

/** A command in this process, with a terminal of its own. */
export const startCommand = (
  args: readonly string[],
  environment: Record<string, string> = {},
): RunningCommand => {
  const out: string[] = [];
  const err: string[] = [];
  const handlers = new Set<() => void>();
  let lifecycle: Lifecycle | undefined;
  const result = runCli(args, {
    environment: { PATH: process.env.PATH, ...environment },
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    draw: null,
    handSignalsTo: (owner) => {
      lifecycle = owner;
    },
    onInterrupt: (handle) => {
      handlers.add(handle);
      return () => void handlers.delete(handle);
    },
  }).then((exitCode) => ({ exitCode, out, err }));
  return {
    result,
    out,
    stop: async () => lifecycle?.stop('the test asked'),
    interrupt: () => {
      for (const handle of handlers) handle();
    },
  };
};

export const runCommand = (
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<CommandResult> => startCommand(args, environment).result;

export const jsonOf = (result: CommandResult): Record<string, unknown> => JSON.parse(result.out.join('\n'));
