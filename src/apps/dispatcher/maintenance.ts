import { dropOldDeliveries } from '../../domain/deliveries/drop-old-deliveries.ts';
import { skipDeliveriesOfRemovedSinks } from '../../domain/deliveries/skip-deliveries.ts';
import { keepConfiguredSinks } from '../../features/delivery/open-sinks.ts';
import { runErasures } from '../../features/identity/run-erasures.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Resources } from '../resources.ts';
import { secretBoxOf } from '../secret-box-of.ts';
import { sinkSettings } from './sink-settings.ts';
import { warnOfLogHolder } from './warn-of-log-holder.ts';

type MaintainedResources = Pick<Resources, 'config' | 'db' | 'clock' | 'log'>;

/** Someone who asked to be forgotten waits no longer than this, but for the work itself. */
const erasureEveryMs = 2_000;
/** What waits for a removed endpoint holds up nobody; its events only count as on their way. */
const skippingEveryMs = 5_000;
const everyMinute = 60_000;
const hourly = 3_600_000;

export const runDispatcherMaintenance = async (resources: MaintainedResources): Promise<void> => {
  const { db, clock, log } = resources;
  await runErasures(resources, clock.now());
  await skipDeliveriesOfRemovedSinks({ db, log });
  await dropOldDeliveries(db, clock.now());
};

/** Beside the deliveries; each part may run anywhere, any time, and twice. The lifecycle stops it. */
export const startDispatcherMaintenance = (
  resources: MaintainedResources & Pick<Resources, 'lifecycle'>,
): void => {
  const { db, clock, log, lifecycle } = resources;
  const erasing = startWakeableLoop({
    everyMs: erasureEveryMs,
    round: () => runErasures(resources, clock.now()),
    onError: (error) => log.warn({ err: error }, 'people who asked for it could not be forgotten yet'),
  });
  lifecycle.onStop('erasures', () => erasing.stop());
  const skipping = startWakeableLoop({
    everyMs: skippingEveryMs,
    round: () => skipDeliveriesOfRemovedSinks({ db, log }),
    onError: (error) => log.warn({ err: error }, 'what waits for removed endpoints could not be skipped'),
  });
  lifecycle.onStop('removed endpoints', () => skipping.stop());
  const watching = startWakeableLoop({
    everyMs: everyMinute,
    round: () => warnOfLogHolder(db, log),
    onError: (error) => log.warn({ err: error }, 'it could not be looked up what holds up the event log'),
  });
  lifecycle.onStop('watch of the event log', () => watching.stop());
  const trimming = startWakeableLoop({
    everyMs: hourly,
    round: async () => {
      const { config } = resources;
      await keepConfiguredSinks({
        db,
        clock,
        settings: sinkSettings(config),
        secretBox: secretBoxOf(config),
      });
      await dropOldDeliveries(db, clock.now());
    },
    onError: (error) => log.warn({ err: error }, 'sinks and old deliveries could not be looked after'),
  });
  lifecycle.onStop('old deliveries', () => trimming.stop());
};
