import { sql } from 'kysely';
import { afterAll, afterEach, expect, test } from 'vitest';
import { listSinks } from '../../../src/domain/deliveries/sinks.ts';
import {
  keepConfiguredSinks,
  openSink,
  type SinkSettings,
} from '../../../src/features/delivery/open-sinks.ts';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';
import { createTestClock, hours, openTestDatabase } from '../../support/factories.ts';
import { projectAll, writeEvents } from './delivery-scene.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);
afterEach(async () => {
  await sql`TRUNCATE event_delivery, delivery_shard, webhook_secret, event_sink CASCADE`.execute(db);
});

const secretBox = createSecretBox();
const clock = createTestClock(new Date().toISOString());
const posthog: SinkSettings = {
  allowPrivateWebhooks: false,
  posthog: { host: 'https://posthog.example', projectApiKey: 'phc_x', distinctIds: 'namespaced' },
};
const webhook: SinkSettings = { allowPrivateWebhooks: false, webhook: { url: 'https://example.com/hook' } };

const keep = (settings: SinkSettings) => keepConfiguredSinks({ db, clock, settings, secretBox });
const statuses = async () => Object.fromEntries((await listSinks(db)).map(({ id, status }) => [id, status]));

test('what the environment names is there, with as many shards as it is worked on by, and a secret to sign with', async () => {
  await keep(webhook);
  await keep(webhook);
  expect(await statuses()).toEqual({ webhook: 'enabled' });
  const { rows } =
    await sql`SELECT count(*) AS shards, (SELECT count(*) FROM webhook_secret) AS secrets FROM delivery_shard`.execute(
      db,
    );
  expect(rows).toEqual([{ shards: 16, secrets: 1 }]);
  const sink = await openSink({ db, clock, settings: webhook, secretBox }, 'webhook');
  expect(sink?.batchSize).toBe(1);
  await sink?.close();
});

test('a dispatcher with other settings neither serves a sink that it does not know nor disables it', async () => {
  await keep(posthog);
  await keep(webhook);
  expect(await statuses()).toEqual({ posthog: 'enabled', webhook: 'enabled' });
  expect(await openSink({ db, clock, settings: webhook, secretBox }, 'posthog')).toBeNull();
});

test('one that nobody has named for a day is disabled, gets nothing meanwhile, and comes back when it is named again', async () => {
  await keep(posthog);
  clock.advance(hours(25));
  await keep(webhook);
  expect(await statuses()).toEqual({ posthog: 'disabled', webhook: 'enabled' });
  await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
  await projectAll(db, clock);
  const { rows } = await sql`SELECT sink_id FROM event_delivery WHERE sink_id = 'posthog'`.execute(db);
  expect(rows).toEqual([]);
  await keep(posthog);
  expect(await statuses()).toMatchObject({ posthog: 'enabled' });
});
