import type { RenderMode } from '../core/exports.ts';
import { endUnservedExports } from '../features/renders/end-unserved.ts';
import { startWakeableLoop } from '../platform/clock/wakeable-loop.ts';
import type { Resources } from './resources.ts';

const everyMs = 10_000;

/**
 * In the API, which is there also when the last worker has gone, and in workers, which are there also without an API. Any number may
 * run. The lifecycle stops it.
 */
export const startWatchingModes = ({
  config,
  db,
  clock,
  log,
  lifecycle,
}: Pick<Resources, 'config' | 'db' | 'clock' | 'log' | 'lifecycle'>): void => {
  const turns = new Map<RenderMode, string>();
  const watching = startWakeableLoop({
    everyMs,
    round: async () => {
      const { isMore } = await endUnservedExports({
        db,
        clock,
        log,
        timeoutSeconds: config.UNSERVED_TIMEOUT_SECONDS,
        fallsBack: config.RENDER_FALLBACK === 'local',
        turns,
      });
      if (isMore) watching.wake();
    },
    onError: (error) => log.warn({ err: error }, 'exports without a worker could not be looked for'),
  });
  lifecycle.onStop('watch of modes', () => watching.stop());
};
