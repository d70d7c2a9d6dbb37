import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { emit } from '../../../src/domain/events/emit.ts';
import {
  endOfLog,
  type LogCursor,
  readEventsAfter,
  readEventsOf,
  startOfLog,
} from '../../../src/domain/events/read-events.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { exampleProperties } from '../../core/events/example-properties.ts';
import { createOrganization, noon, openTestDatabase, silentLog, times } from '../../support/factories.ts';

const { db, url, close } = await openTestDatabase();
afterAll(close);

const write = (tx: Tx, organizationId: string, entityId: string) =>
  emit(tx, {
    name: 'first_render_completed',
    organizationId,
    source: 'worker',
    occurredAt: new Date(noon),
    properties: exampleProperties.first_render_completed,
    entity: { type: 'export', id: entityId },
  });

const writeOne = (organizationId: string, entityId: string) =>
  db.transaction().execute((tx) => write(tx, organizationId, entityId));

const read = async (cursor: LogCursor, organizationId?: string, limit = 100) => {
  const { events, next } = await readEventsAfter(db, cursor, {
    limit,
    ...(organizationId === undefined ? {} : { organizationId }),
  });
  return { entities: events.map((event) => event.entityId), next };
};

/** Readers stop before the oldest open transaction of the whole server, and other tests have some: until all of ours is behind it. */
const settled = async (): Promise<void> => {
  const isBehind = sql<{ behind: boolean }>`
    SELECT coalesce(max(xid::text::bigint), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS behind FROM domain_event`;
  await expect
    .poll(async () => (await isBehind.execute(db)).rows[0]?.behind, { timeout: 20_000, interval: 10 })
    .toBe(true);
};

/** A transaction that stays open on a connection of its own until it is told to end. */
const openTransaction = async () => {
  const other = openDatabase({ url, log: silentLog, maxConnections: 1 });
  const tx = await other.db.startTransaction().execute();
  return {
    tx,
    end: async (how: 'commit' | 'rollback') => {
      await tx[how]().execute();
      await other.close();
    },
  };
};

describe('the log', () => {
  test('orders transactions as numbers, not as text: 99 comes before 100', async () => {
    const organizationId = await createOrganization(db);
    const ids = ['9', '10', '99', '100'];
    for (const xid of ids) {
      await writeOne(organizationId, `x${xid}`);
      await sql`UPDATE domain_event SET xid = ${xid}::xid8 WHERE entity_id = ${`x${xid}`}`.execute(db);
    }
    await writeOne(organizationId, 'newest');
    await settled();
    const seen: (string | null)[] = [];
    let cursor = startOfLog;
    for (const _page of [...ids, 'newest']) {
      const page = await read(cursor, organizationId, 1);
      seen.push(...page.entities);
      cursor = page.next;
    }
    expect(seen).toEqual(['x9', 'x10', 'x99', 'x100', 'newest']);
    expect(await endOfLog(db)).toEqual(cursor);
  });

  test('is read in pages from a place on, each event once, and the end stays where it is', async () => {
    const organizationId = await createOrganization(db);
    for (const index of times(5, (at) => at)) await writeOne(organizationId, `e${index}`);
    await settled();
    const first = await read(startOfLog, organizationId, 2);
    const second = await read(first.next, organizationId, 2);
    const third = await read(second.next, organizationId, 2);
    const fourth = await read(third.next, organizationId, 2);
    expect([first, second, third, fourth].map((page) => page.entities)).toEqual([
      ['e0', 'e1'],
      ['e2', 'e3'],
      ['e4'],
      [],
    ]);
    expect(fourth.next).toEqual(third.next);
  });

  test('keeps the order of the events of one transaction', async () => {
    const organizationId = await createOrganization(db);
    await db.transaction().execute(async (tx) => {
      for (const index of times(20, (at) => at)) await write(tx, organizationId, `e${index}`);
    });
    await settled();
    expect((await read(startOfLog, organizationId)).entities).toEqual(times(20, (index) => `e${index}`));
  });

  test('gives what was recorded, names as the wire has them', async () => {
    const organizationId = await createOrganization(db);
    await writeOne(organizationId, 'e');
    await settled();
    const { events } = await readEventsAfter(db, startOfLog, { limit: 1, organizationId });
    expect(events[0]).toMatchObject({
      event: 'first_render_completed',
      organizationId,
      entityType: 'export',
      occurredAt: new Date(noon),
      properties: exampleProperties.first_render_completed,
      position: expect.any(Number),
    });
    expect(events[0]).not.toHaveProperty('xid');
  });

  test('never skips a transaction that began first and commits last', async () => {
    const organizationId = await createOrganization(db);
    const slow = await openTransaction();
    await write(slow.tx, organizationId, 'slow');
    await writeOne(organizationId, 'quick');

    const during = await read(startOfLog, organizationId);
    expect(during.entities).toEqual([]);
    await slow.end('commit');
    await settled();
    const afterwards = await read(during.next, organizationId);
    expect(afterwards.entities).toEqual(['slow', 'quick']);
    expect((await read(afterwards.next, organizationId)).entities).toEqual([]);
  });

  test('goes on behind a transaction that rolled back', async () => {
    const organizationId = await createOrganization(db);
    const slow = await openTransaction();
    await write(slow.tx, organizationId, 'slow');
    await writeOne(organizationId, 'quick');
    const during = await read(startOfLog, organizationId);
    await slow.end('rollback');
    await settled();
    expect((await read(during.next, organizationId)).entities).toEqual(['quick']);
  });

  test('shows every event exactly once to a reader that reads all the while', async () => {
    const organizationId = await createOrganization(db);
    let cursor = startOfLog;
    let writing = true;
    const seen: (string | null)[] = [];
    const reader = (async () => {
      for (;;) {
        const last = !writing;
        const page = await read(cursor, organizationId, 7);
        seen.push(...page.entities);
        cursor = page.next;
        if (last && page.entities.length === 0) return;
      }
    })();
    await Promise.all(
      times(60, (index) =>
        db.transaction().execute(async (tx) => {
          await write(tx, organizationId, `a${index}`);
          await write(tx, organizationId, `b${index}`);
        }),
      ),
    );
    await settled();
    writing = false;
    await reader;
    expect(seen).toHaveLength(120);
    expect(new Set(seen).size).toBe(120);
  });

  test('begins at its end for who wants only what comes', async () => {
    const organizationId = await createOrganization(db);
    await writeOne(organizationId, 'before');
    await settled();
    const end = await endOfLog(db);
    await writeOne(organizationId, 'after');
    await settled();
    expect((await read(end, organizationId)).entities).toEqual(['after']);
  });

  test('wakes its readers when an event is committed, and not before', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const heard: string[] = [];
    client.on('notification', (message) => heard.push(message.channel));
    await client.query('LISTEN rendermill_event');
    const organizationId = await createOrganization(db);
    const slow = await openTransaction();
    await write(slow.tx, organizationId, 'slow');
    await client.query('SELECT 1');
    expect(heard).toEqual([]);
    await slow.end('commit');
    await expect.poll(() => heard).toEqual(['rendermill_event']);
    await client.end();
  });
});

describe('the events of one thing', () => {
  test('come in order, from a position on, and only to its own organization', async () => {
    const [organizationId, other] = [await createOrganization(db), await createOrganization(db)];
    await writeOne(organizationId, 'x');
    await writeOne(organizationId, 'y');
    await writeOne(other, 'x');
    await writeOne(organizationId, 'x');
    const all = await readEventsOf(db, { organizationId, id: 'x', afterPosition: 0 });
    expect(all).toHaveLength(2);
    const [first, second] = all.map((event) => event.position);
    expect(Number(second)).toBeGreaterThan(Number(first));
    const rest = await readEventsOf(db, { organizationId, id: 'x', afterPosition: first ?? 0 });
    expect(rest.map((event) => event.position)).toEqual([second]);
    expect(await readEventsOf(db, { organizationId: other, id: 'y', afterPosition: 0 })).toEqual([]);
  });
});
