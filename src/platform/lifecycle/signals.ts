import type { Logger } from '../log/log.ts';

/** 128 and the signal's number: what a shell reports for a process that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitCodes;

let listening = false;

/** Once per process: two owners would end each other. */
export const listenToSignals = (options: { stop: (reason: string) => Promise<void>; log: Logger }): void => {
  if (listening) throw new Error('Another lifecycle listens to the signals of this process.');
  listening = true;
  let signals = 0;

  const stopAndExit = async (reason: string) => {
    await options.stop(reason);
    process.exit();
  };

  const onSignal = (signal: StopSignal) => {
    signals += 1;
    if (signals === 1) return void stopAndExit(signal);
    options.log.info({ signal }, 'second signal; ending now');
    process.exit(exitCodes[signal]);
  };

  const onError = (kind: string) => (error: unknown) => {
    options.log.fatal({ err: error }, `${kind}; stopping`);
    process.exitCode = 1;
    void stopAndExit(kind);
  };

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  process.on('uncaughtException', onError('uncaught exception'));
  process.on('unhandledRejection', onError('unhandled rejection'));
};
