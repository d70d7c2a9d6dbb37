/** Where a command reads and writes; a test passes its own. */
import type { Lifecycle } from '../../platform/lifecycle/lifecycle.ts';

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for: a line on stdout. */
  print(line: string): void;
  /** What a person should know besides: a line on stderr. */
  note(line: string): void;
  /** Text as it is, on stderr, where a person looks at it; null: nobody does, so nothing is drawn. */
  readonly draw: ((text: string) => void) | null;
  /** From now on signals end the process by this lifecycle. */
  handSignalsTo(lifecycle: Lifecycle): void;
  /** Calls for Ctrl-C and SIGTERM until the returned function is called; for a command that has no lifecycle. */
  onInterrupt(handle: () => void): () => void;
}

export const systemTerminal = (): Terminal => {
  const { stdout, stderr } = process;
  // `rendermill … | head`: whoever reads has seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    environment: process.env,
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    draw: stderr.isTTY ? (text) => void stderr.write(text) : null,
    handSignalsTo: (lifecycle) => lifecycle.listenToSignals(),
    onInterrupt: (handle) => {
      process.on('SIGINT', handle).on('SIGTERM', handle);
      return () => void process.off('SIGINT', handle).off('SIGTERM', handle);
    },
  };
};
