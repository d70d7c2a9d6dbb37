import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { tierOf } from '../../../src/core/tiers.ts';
import { ensureUser } from '../../../src/domain/accounts/users.ts';
import { emit } from '../../../src/domain/events/emit.ts';
import { acceptExport } from '../../../src/domain/exports/accept-export.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import {
  ensureEventPartitions,
  migrateDatabase,
  pendingMigrations,
} from '../../../src/platform/db/migrate.ts';
import { exampleProperties } from '../../core/events/example-properties.ts';
import { anOrder, noon, openTestDatabase, silentLog, times } from '../../support/factories.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const partitions = async (parent: string): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = ${parent}::regclass ORDER BY 1`.execute(
    db,
  );
  return rows.map((row) => row.name);
};

const monthNames = (first: Date, count: number): string[] =>
  times(count, (index) =>
    new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index))
      .toISOString()
      .slice(0, 7)
      .replace('-', '_'),
  );

const place = async (entityId: string): Promise<string | undefined> => {
  const { rows } = await sql<{ name: string }>`
    SELECT tableoid::regclass::text AS name FROM domain_event WHERE entity_id = ${entityId}`.execute(db);
  return rows[0]?.name;
};

const writeEvent = (entityId: string) =>
  db.transaction().execute((tx) =>
    emit(tx, {
      name: 'first_render_completed',
      organizationId: 'o',
      source: 'worker',
      occurredAt: new Date(noon),
      properties: exampleProperties.first_render_completed,
      entity: { type: 'export', id: entityId },
    }),
  );

describe('migrations', () => {
  test('run once, also where several processes start at once', async () => {
    const { url, drop } = await createTestDatabase('template0');
    const ran = await Promise.all(times(4, () => migrateDatabase(url, silentLog)));
    expect(ran.filter((names) => names.length > 0)).toEqual([
      [
        '0001-foundation',
        '0002-batches',
        '0003-statistics',
        '0004-identity',
        '0005-projection',
        '0006-delivery',
        '0007-signals',
        '0008-scale',
        '0009-lambda-slots',
        '0010-render-modes',
        '0011-webhook-health',
        '0012-left-renders',
        '0013-rendered-exports',
      ],
    ]);
    expect(await migrateDatabase(url, silentLog)).toEqual([]);
    await drop();
  });

  test('leave Lambda to those who render there already, and count its workers as serving it', async () => {
    const { url, drop } = await createTestDatabase('template0');
    await migrateDatabase(url, silentLog, { upTo: '0009-lambda-slots' });
    const before = openDatabase({ url, log: silentLog });
    for (const id of ['acme', 'globex'])
      await sql`INSERT INTO organization (id, name, link_secret) VALUES (${id}, ${id}, '')`.execute(
        before.db,
      );
    const who = { organizationId: 'acme', userId: 'u', timeZone: 'UTC', tierName: 'unlimited' as const };
    await before.db.transaction().execute(async (tx) => {
      await ensureUser(tx, 'acme', 'u');
      await acceptExport(
        tx,
        { ...who, tier: tierOf('unlimited', {}) },
        anOrder({ renderMode: 'lambda' }),
        new Date(noon),
      );
    });
    await sql`INSERT INTO worker (id, host, pid, concurrency, lambda_concurrency, started_at, seen_at)
      VALUES (gen_random_uuid(), 'a', 1, 2, 10, now(), now()), (gen_random_uuid(), 'b', 1, 2, 0, now(), now())`.execute(
      before.db,
    );
    await migrateDatabase(url, silentLog);
    const organizations = await before.db
      .selectFrom('organization')
      .select(['id', 'render_modes'])
      .orderBy('id')
      .execute();
    expect(organizations).toEqual([
      { id: 'acme', render_modes: { lambda: true } },
      { id: 'globex', render_modes: {} },
    ]);
    const workers = await before.db.selectFrom('worker').select(['render_modes']).orderBy('host').execute();
    expect(workers).toEqual([{ render_modes: ['local', 'lambda'] }, { render_modes: ['local'] }]);
    await before.close();
    await drop();
  });

  test('that are missing are named, without touching the database', async () => {
    const { url, drop } = await createTestDatabase('template0');
    const empty = openDatabase({ url, log: silentLog });
    expect(await pendingMigrations(empty.db)).toEqual([
      '0001-foundation',
      '0002-batches',
      '0003-statistics',
      '0004-identity',
      '0005-projection',
      '0006-delivery',
      '0007-signals',
      '0008-scale',
      '0009-lambda-slots',
      '0010-render-modes',
      '0011-webhook-health',
      '0012-left-renders',
      '0013-rendered-exports',
    ]);
    expect(await pendingMigrations(db)).toEqual([]);
    const { rows } = await sql`SELECT 1 FROM pg_class WHERE relname LIKE 'kysely%'`.execute(empty.db);
    expect(rows).toEqual([]);
    await empty.close();
    await drop();
  });
});

describe('partitions of the log', () => {
  test('are there for this month and the three after it, in both classes, with a place for the rest', async () => {
    for (const name of ['domain_event_business', 'domain_event_behaviour']) {
      expect(await partitions(name)).toEqual(
        [...monthNames(new Date(), 4), 'rest'].map((month) => `${name}_${month}`),
      );
    }
  });

  test('are made where they are missing, by ten at once, and twice is the same as once', async () => {
    const at = new Date('2031-11-15T00:00:00Z');
    await Promise.all(times(10, () => ensureEventPartitions(db, at)));
    await ensureEventPartitions(db, at);
    const names = await partitions('domain_event_business');
    for (const month of ['2031_11', '2031_12', '2032_01', '2032_02'])
      expect(names).toContain(`domain_event_business_${month}`);
  });

  test('get the events of their month', async () => {
    await writeEvent('in-its-month');
    const { rows } = await sql<{
      name: string;
    }>`SELECT 'domain_event_business_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM') AS name`.execute(db);
    expect(await place('in-its-month')).toBe(rows[0]?.name);
  });

  test('that were missing when an event came are made afterwards, and get it: an outage of the maintenance heals', async () => {
    const [month = ''] = monthNames(new Date(), 1);
    await sql`DROP TABLE ${sql.table(`domain_event_business_${month}`)}`.execute(db);
    await writeEvent('without-a-month');
    expect(await place('without-a-month')).toBe('domain_event_business_rest');
    await ensureEventPartitions(db, new Date());
    expect(await place('without-a-month')).toBe(`domain_event_business_${month}`);
    await writeEvent('after-the-repair');
    expect(await place('after-the-repair')).toBe(`domain_event_business_${month}`);
    const { rows } = await sql<{
      id: string;
    }>`SELECT id FROM domain_event WHERE entity_id = 'without-a-month'`.execute(db);
    expect(rows).toHaveLength(1);
  });
});
