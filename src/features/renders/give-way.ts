import type { Export, Fence } from '../../domain/exports/export.ts';
import { postpone } from '../../domain/exports/return-export.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { write } from './settle-work.ts';

/** Between two looks at a Lambda that has no room. */
const leastWaitMs = 1_000;
const mostWaitMs = 5_000;

/**
 * Lambda has no room: the render waits for it, or the workers take it over, as the installation has it. Neither costs an attempt, and
 * no two of those that wait look again at the same moment.
 */
export const giveWay = async (deps: RunRenderDeps, row: Export, fence: Fence): Promise<void> => {
  const now = deps.clock.now();
  const waitMs = leastWaitMs + Math.random() * (mostWaitMs - leastWaitMs);
  const how =
    deps.whenThrottled === 'local'
      ? ({ mode: 'local' } as const)
      : { until: new Date(now.getTime() + waitMs) };
  deps.log.info({ exportId: row.id, ...how }, 'Lambda has no room for a render');
  await write(deps, (tx) => postpone(tx, fence, how, now));
};
