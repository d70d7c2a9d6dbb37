import type { Process } from '../process.ts';
import type { Terminal } from './terminal.ts';

export interface StopAnnouncement {
  /** For a start that fails: its error is all that there is to say. */
  keepQuiet(): void;
}

/** Tells a person that the stop was understood, how long it may take, and when it is done. Called before anything is opened. */
export const announceStop = ({ config, lifecycle }: Process, terminal: Terminal): StopAnnouncement => {
  let quiet = false;
  const say = (line: string) => {
    if (!quiet) terminal.print(line);
  };
  lifecycle.stopping.addEventListener('abort', () =>
    say(`Stopping: running renders may take up to ${config.SHUTDOWN_SECONDS} s; Ctrl-C again stops at once.`),
  );
  lifecycle.onStop('announcement', async () => say('Stopped.'));
  return {
    keepQuiet: () => {
      quiet = true;
    },
  };
};
