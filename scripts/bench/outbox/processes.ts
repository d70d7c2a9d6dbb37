import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const start = (file: string, args: readonly string[] = []): ChildProcess =>
  fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--import', 'tsx'],
  });

export interface BenchReceiver {
  readonly url: string;
  /** When each event id arrived since the last call, milliseconds since the epoch. */
  arrivals(): Promise<ReadonlyMap<string, number>>;
  close(): void;
}

export const startReceiver = async (): Promise<BenchReceiver> => {
  const child = start('./receiver.ts');
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals: async () => {
      child.send('times');
      const [{ times }] = (await once(child, 'message')) as [{ times: [string, number][] }];
      return new Map(times);
    },
    close: () => child.disconnect(),
  };
};

export interface Consumer {
  stop(): Promise<void>;
}

export const startConsumer = async (...args: readonly string[]): Promise<Consumer> => {
  const child = start('./consumer.ts', args);
  await once(child, 'message');
  return {
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
};
