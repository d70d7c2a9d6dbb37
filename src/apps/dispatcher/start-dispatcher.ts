import { createDispatcher, type Dispatcher } from '../../features/delivery/dispatcher.ts';
import { keepConfiguredSinks, openSink } from '../../features/delivery/open-sinks.ts';
import type { Resources } from '../resources.ts';
import { sinkSettings } from './sink-settings.ts';

type DispatcherResources = Pick<Resources, 'config' | 'db' | 'listener' | 'clock' | 'log' | 'lifecycle'>;

/** With the sinks that the environment names; the lifecycle stops it. It does nothing yet. */
export const openDispatcher = async (resources: DispatcherResources): Promise<Dispatcher> => {
  const { config, db, listener, clock, log, lifecycle } = resources;
  const deps = { db, clock, settings: sinkSettings(config) };
  await keepConfiguredSinks(deps);
  const dispatcher = createDispatcher({
    db,
    listener,
    clock,
    log,
    leaseMs: config.DISPATCHER_LEASE_SECONDS * 1000,
    openSink: (id) => openSink(deps, id),
  });
  lifecycle.onStop('deliveries', () => dispatcher.stop());
  return dispatcher;
};
