/** What claiming costs with nothing else in the tables, and with millions of events that were delivered. */
import { sql } from 'kysely';
import { dueDeliveries } from '../../../src/domain/deliveries/due-deliveries.ts';
import { dueSinks, leaseShards } from '../../../src/domain/deliveries/lease-shards.ts';
import { createSink } from '../../../src/domain/deliveries/sinks.ts';
import { emitAll } from '../../../src/domain/events/emit.ts';
import { projectPage } from '../../../src/features/delivery/project-log.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { jobEvent } from './events.ts';
import { freshDatabase, jobProperties } from './round.ts';

const log = createLogger({ level: 'warn' });
const claims = 300;
const pending = 2_000;

const addPending = async (db: Database): Promise<void> => {
  await db
    .transaction()
    .execute((tx) =>
      createSink(
        tx,
        { id: 'webhook', kind: 'webhook', organizationId: null, shards: 16 },
        new Date(Date.now() - 1_000),
      ),
    );
  const events = Array.from({ length: pending }, (_, n) =>
    jobEvent({
      id: crypto.randomUUID(),
      event: '',
      userId: `user-${n}`,
      timestamp: new Date().toISOString(),
      properties: jobProperties(n),
    }),
  );
  await db.transaction().execute((tx) => emitAll(tx, events));
  while ((await projectPage(db, systemClock)) > 0);
};

/** Median milliseconds of one claim: find a due sink, lease a shard, read what is due; then the lease is given back. */
const timeClaims = async (db: Database): Promise<number> => {
  const times: number[] = [];
  for (let n = 0; n < claims; n += 1) {
    const now = new Date();
    const began = performance.now();
    const [due] = await dueSinks(db, now, 100);
    if (!due) throw new Error('nothing is due');
    const [lease] = await leaseShards(db, due, { leaseMs: 30_000, limit: 1, probeMs: 20_000 }, now);
    if (!lease) throw new Error('no shard is free');
    const deliveries = await dueDeliveries(db, lease, 100, now);
    times.push(performance.now() - began);
    if (deliveries.length !== 100) throw new Error(`${deliveries.length} deliveries are due instead of 100`);
    await sql`UPDATE delivery_shard SET leased_until = NULL`.execute(db);
  }
  return Number((times.sort((a, b) => a - b)[claims / 2] ?? Number.NaN).toFixed(2));
};

/** Straight into a partition of its own and without indexes, which are built once it is full: the same tables in the end. */
const addDelivered = async (db: Database, count: number): Promise<void> => {
  const month = '2025-01-01';
  await sql
    .raw(`
    CREATE TABLE domain_event_business_2025_01 (LIKE domain_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 75);
    INSERT INTO domain_event_business_2025_01 (id, event_name, occurred_at, received_at, organization_id, user_id, entity_type,
      entity_id, source, environment, schema_version, properties, context, is_processed, processed_at, delivery_attempts, derived,
      retention_class, position, xid)
    SELECT gen_random_uuid(), 'video_rendered', at, at, 'bench', 'user-' || n % 5000, 'export', 'job-' || n, 'worker', 'bench', 1,
      '{"format": "png", "width": 1080, "height": 1080, "sizeInBytes": 123456, "duration": 431}', '{}', true, at, 1, '{}',
      'business', n - ${count}, '3'
    FROM (SELECT n, '${month}'::timestamptz + n * interval '0.2 seconds' AS at FROM generate_series(1, ${count}) n) AS made;
  `)
    .execute(db);
  await sql
    .raw(`ALTER TABLE domain_event_business ATTACH PARTITION domain_event_business_2025_01
    FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')`)
    .execute(db);
  const { rows: indexes } = await sql<{ name: string; definition: string }>`
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE tablename = 'event_delivery' AND indexname <> 'event_delivery_pkey'`.execute(db);
  for (const { name } of indexes) await sql.raw(`DROP INDEX ${name}`).execute(db);
  await sql.raw('ALTER TABLE event_delivery DROP CONSTRAINT event_delivery_pkey').execute(db);
  await sql
    .raw(`
    INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, seq, lane, shard,
      state, attempts, next_at, attempt_log, created_at, ended_at)
    SELECT 'webhook', organization_id, id, event_name, received_at, 'business', position, hashtextextended(entity_id, 0),
      abs(hashtext(entity_id)) % 16, 'delivered', 1, received_at,
      '[{"at": "2025-01-01T00:00:00.000Z", "ms": 3, "outcome": "delivered", "status": 204}]', received_at, received_at
    FROM domain_event_business_2025_01`)
    .execute(db);
  await sql
    .raw('ALTER TABLE event_delivery ADD PRIMARY KEY (sink_id, organization_id, event_id)')
    .execute(db);
  for (const { definition } of indexes) await sql.raw(definition).execute(db);
  await sql.raw('VACUUM (ANALYZE) event_delivery').execute(db);
  await sql.raw('ANALYZE domain_event').execute(db);
};

export const measureClaim = async (
  adminUrl: string,
  count: number,
): Promise<{ emptyMs: number; fullMs: number }> => {
  const url = await freshDatabase(adminUrl, 'bench_claim');
  await migrateDatabase(url, log);
  const { db, close } = openDatabase({ url, log, maxConnections: 1 });
  try {
    // Loading takes longer than any statement of the service may.
    await sql`SET statement_timeout = 0`.execute(db);
    await addPending(db);
    await sql`ANALYZE`.execute(db);
    const emptyMs = await timeClaims(db);
    await addDelivered(db, count);
    return { emptyMs, fullMs: await timeClaims(db) };
  } finally {
    await close();
  }
};
