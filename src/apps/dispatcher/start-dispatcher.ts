import { assertSecretsReadable } from '../../domain/deliveries/encrypt-secrets.ts';
import { createDispatcher, type Dispatcher } from '../../features/delivery/dispatcher.ts';
import { keepConfiguredSinks, openSink } from '../../features/delivery/open-sinks.ts';
import type { Resources } from '../resources.ts';
import { secretBoxOf } from '../secret-box-of.ts';
import { sinkSettings } from './sink-settings.ts';

type DispatcherResources = Pick<Resources, 'config' | 'db' | 'listener' | 'clock' | 'log' | 'lifecycle'>;

const dayMs = 24 * 3_600_000;
const disableAfterMs = ({ WEBHOOK_DISABLE_AFTER_DAYS: days }: Resources['config']): number | null =>
  days === 0 ? null : days * dayMs;

/** With the sinks that the environment names; the lifecycle stops it. It does nothing yet. */
export const openDispatcher = async (resources: DispatcherResources): Promise<Dispatcher> => {
  const { config, db, listener, clock, log, lifecycle } = resources;
  const secretBox = secretBoxOf(config);
  await assertSecretsReadable(db, secretBox, clock.now());
  const deps = { db, clock, settings: sinkSettings(config), secretBox };
  await keepConfiguredSinks(deps);
  const dispatcher = createDispatcher({
    db,
    listener,
    clock,
    log,
    leaseMs: config.DISPATCHER_LEASE_SECONDS * 1000,
    disableAfterMs: disableAfterMs(config),
    openSink: (id) => openSink(deps, id),
  });
  lifecycle.onStop('deliveries', () => dispatcher.stop());
  return dispatcher;
};
