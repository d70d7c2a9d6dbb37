/** A dispatcher of its own process, to be killed. `SPEED` lets its clock run faster from `EPOCH_MS` on: retries come sooner. */

import { sinkSettings } from '../../src/apps/dispatcher/sink-settings.ts';
import { createDispatcher } from '../../src/features/delivery/dispatcher.ts';
import { keepConfiguredSinks, openSink } from '../../src/features/delivery/open-sinks.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { openDatabase } from '../../src/platform/db/client.ts';
import { openListener } from '../../src/platform/db/listener.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { createSecretBox } from '../../src/platform/secrets/secret-box.ts';
import { fastClock } from './fast-clock.ts';

const config = loadConfig(process.env);
const log = createLogger({ level: config.LOG_LEVEL });
const speed = Number(process.env.SPEED);
const clock = fastClock(Number(process.env.EPOCH_MS), speed);
const url = config.DATABASE_URL ?? '';
const { db } = openDatabase({ url, log });
const listener = await openListener(url, log);
const deps = { db, clock, settings: sinkSettings(config), secretBox: createSecretBox() };
await keepConfiguredSinks(deps);
createDispatcher({
  db,
  listener,
  clock,
  log,
  // By the fast clock: five seconds of ours.
  leaseMs: 5_000 * speed,
  disableAfterMs: null,
  openSink: (id) => openSink(deps, id),
}).start();
process.send?.('ready');
