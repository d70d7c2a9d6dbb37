import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { dropOldWindows } from '../../../src/domain/artifacts/download-window.ts';
import { dropOldDeliveries } from '../../../src/domain/deliveries/drop-old-deliveries.ts';
import { dropOldEventKeys } from '../../../src/domain/events/drop-old-keys.ts';
import { dropExpiredKeys } from '../../../src/domain/exports/idempotency.ts';
import { hours, openTestDatabase } from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

test('what has grown old is dropped in parts, each a transaction of its own', async () => {
  const now = new Date();
  const old = new Date(now.getTime() - hours(24 * 365));
  await sql`INSERT INTO domain_event_key (organization_id, event_id, received_at)
    SELECT 'old', gen_random_uuid(), ${old} FROM generate_series(1, 12000)`.execute(db);
  await sql`INSERT INTO idempotency_key (organization_id, route, key, request_hash, expires_at)
    SELECT 'old', 'r', n::text, '', ${old} FROM generate_series(1, 6000) AS n`.execute(db);
  await sql`INSERT INTO download_window (organization_id, file_id, client, counted_at)
    SELECT 'old', gen_random_uuid(), 'c', ${old} FROM generate_series(1, 6000) AS n`.execute(db);
  await sql`INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard,
    next_at, created_at, state, ended_at)
    SELECT 's', 'old', gen_random_uuid(), 'e', ${old}, 'business', 1, 0, ${old}, ${old}, 'delivered', ${old}
    FROM generate_series(1, 6000)`.execute(db);
  const parts = await countParts([
    'domain_event_key',
    'idempotency_key',
    'download_window',
    'event_delivery',
  ]);
  await dropOldEventKeys(db, now);
  await dropExpiredKeys(db, now);
  await dropOldWindows(db, now);
  await dropOldDeliveries(db, now);
  expect(await parts()).toEqual({
    domain_event_key: [5_000, 5_000, 2_000],
    idempotency_key: [5_000, 1_000],
    download_window: [5_000, 1_000],
    event_delivery: [5_000, 1_000],
  });
});

/** From now on, how many rows each statement deletes from these tables. */
const countParts = async (tables: readonly string[]) => {
  await sql`CREATE TABLE deleted_part (n serial, name text, rows bigint)`.execute(db);
  await sql`CREATE FUNCTION count_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deleted_part (name, rows) SELECT TG_TABLE_NAME, count(*) FROM gone HAVING count(*) > 0; RETURN NULL; END $$`.execute(
    db,
  );
  for (const table of tables)
    await sql`CREATE TRIGGER count_part AFTER DELETE ON ${sql.table(table)} REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION count_part()`.execute(db);
  return async (): Promise<Record<string, number[]>> => {
    const { rows } = await sql<{
      name: string;
      rows: number;
    }>`SELECT name, rows FROM deleted_part ORDER BY n`.execute(db);
    return Object.fromEntries(
      tables.map((table) => [table, rows.filter(({ name }) => name === table).map((one) => one.rows)]),
    );
  };
};
