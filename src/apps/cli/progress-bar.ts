import type { WatchMessage } from '../../client/types.ts';
import type { Terminal } from './terminal.ts';

export interface ProgressBar {
  show(message: WatchMessage): void;
  /** Leaves an empty line behind; may be called twice. */
  clear(): void;
}

const width = 24;
const clearLine = '\r\u001b[K';

const formatTimeLeft = (milliseconds: number | null): string =>
  milliseconds === null ? '' : `  ${Math.ceil(milliseconds / 1000)} s left`;

/** One line, without what draws it. */
export const formatProgress = (message: WatchMessage): string => {
  if (message.type === 'status') return message.status;
  const done = Math.round((Math.min(100, Math.max(0, message.percent)) / 100) * width);
  const bar = '█'.repeat(done) + '░'.repeat(width - done);
  const frames = message.totalFrames > 1 ? `  ${message.renderedFrames}/${message.totalFrames} frames` : '';
  return `${message.stage.padEnd(10)} ${bar} ${Math.floor(message.percent)}%${frames}${formatTimeLeft(message.timeLeftMs)}`;
};

/** Quiet where nobody looks. */
export const createProgressBar = (draw: Terminal['draw']): ProgressBar => ({
  show: (message) => draw?.(clearLine + formatProgress(message)),
  clear: () => draw?.(clearLine),
});
