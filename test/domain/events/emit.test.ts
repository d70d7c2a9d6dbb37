import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { definitionOf, type EventName } from '../../../src/core/events/catalog.ts';
import type { NewEvent } from '../../../src/core/events/new-event.ts';
import { newId } from '../../../src/core/ids.ts';
import { dropOldEventKeys, eventKeyDays } from '../../../src/domain/events/drop-old-keys.ts';
import { emit } from '../../../src/domain/events/emit.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import { exampleProperties } from '../../core/events/example-properties.ts';
import {
  countRows,
  createOrganization,
  eventsOf,
  hours,
  noon,
  openTestDatabase,
  outcomes,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const anEvent = (organizationId: string, given: Partial<NewEvent<'first_render_completed'>> = {}) => ({
  name: 'first_render_completed' as const,
  organizationId,
  source: 'worker' as const,
  occurredAt: new Date(noon),
  properties: exampleProperties.first_render_completed,
  ...given,
});

const emitOne = (event: NewEvent): Promise<boolean> => db.transaction().execute((tx) => emit(tx, event));

describe('emit', () => {
  test('writes the canonical envelope, and the log adds the rest', async () => {
    const organizationId = await createOrganization(db);
    const id = newId();
    const given = {
      id,
      userId: 'user-1',
      distinctId: 'visitor-1',
      sessionId: 'session-1',
      entity: { type: 'export', id: 'export-1' },
      correlationId: 'request-1',
      context: { utm_source: 'news' },
    };
    expect(await emitOne(anEvent(organizationId, given))).toBe(true);
    const row = await db
      .selectFrom('domain_event')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      event_name: 'first_render_completed',
      organization_id: organizationId,
      user_id: 'user-1',
      distinct_id: 'visitor-1',
      session_id: 'session-1',
      entity_type: 'export',
      entity_id: 'export-1',
      correlation_id: 'request-1',
      source: 'worker',
      environment: 'development',
      schema_version: 1,
      retention_class: 'business',
      occurred_at: new Date(noon),
      properties: exampleProperties.first_render_completed,
      context: { utm_source: 'news' },
      is_processed: false,
      delivery_attempts: 0,
      derived: null,
    });
    expect(Math.abs(row.received_at.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('takes the environment of the installation', async () => {
    const organizationId = await createOrganization(db);
    await expect(
      db.transaction().execute(async (tx) => {
        await sql`UPDATE installation SET environment = 'staging'`.execute(tx);
        await emit(tx, anEvent(organizationId));
        const row = await tx
          .selectFrom('domain_event')
          .select('environment')
          .where('organization_id', '=', organizationId)
          .executeTakeFirst();
        throw new Error(`back to where it was: ${row?.environment}`);
      }),
    ).rejects.toThrow('back to where it was: staging');
  });

  test.each([
    [
      'properties of another type',
      { properties: { ...exampleProperties.first_render_completed, format: 5 } },
      /format/,
    ],
    ['a missing property', { properties: { format: 'png', timestamp: noon } }, /compositionId/],
    [
      'an unknown property',
      { properties: { ...exampleProperties.first_render_completed, colour: 'red' } },
      /colour/,
    ],
    [
      'a time that is none',
      { properties: { ...exampleProperties.first_render_completed, timestamp: 'today' } },
      /timestamp/,
    ],
    ['a source that may not send it', { source: 'web' }, /may not come from web/],
  ])('refuses %s, and writes nothing', async (_name, given, message) => {
    const organizationId = await createOrganization(db);
    const event = { ...anEvent(organizationId), ...given } as NewEvent;
    await expect(emitOne(event)).rejects.toMatchObject({
      code: 'invalid_event',
      message: expect.stringMatching(message),
    });
    expect(await countRows(db, 'domain_event', organizationId)).toBe(0);
    expect(await countRows(db, 'domain_event_key', organizationId)).toBe(0);
  });

  test('of every event of the catalog is possible', async () => {
    const organizationId = await createOrganization(db);
    for (const name of Object.keys(exampleProperties) as EventName[]) {
      const event = {
        name,
        organizationId,
        source: definitionOf(name).sources[0],
        occurredAt: new Date(noon),
        properties: exampleProperties[name],
      };
      expect(await emitOne(event as NewEvent), name).toBe(true);
    }
    const names = (await eventsOf(db, organizationId)).map((event) => event.event_name);
    expect(names).toEqual(Object.keys(exampleProperties));
  });

  test('disappears with its transaction', async () => {
    const organizationId = await createOrganization(db);
    const id = newId();
    const broken = db.transaction().execute(async (tx) => {
      await emit(tx, anEvent(organizationId, { id }));
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    expect(await countRows(db, 'domain_event', organizationId)).toBe(0);
    expect(await emitOne(anEvent(organizationId, { id }))).toBe(true);
  });

  test('writes an id once per organization, also when ten come at once', async () => {
    const organizationId = await createOrganization(db);
    const id = newId();
    const { fulfilled, codes } = await outcomes(times(10, () => emitOne(anEvent(organizationId, { id }))));
    expect(codes).toEqual([]);
    expect(fulfilled.filter(Boolean)).toHaveLength(1);
    expect(await countRows(db, 'domain_event', organizationId)).toBe(1);
    expect(await emitOne(anEvent(await createOrganization(db), { id }))).toBe(true);
  });

  test('forgets ids after 30 days, the events stay', async () => {
    const organizationId = await createOrganization(db);
    await emitOne(anEvent(organizationId));
    await dropOldEventKeys(db, new Date(Date.now() + hours(24 * eventKeyDays) - 60_000));
    expect(await countRows(db, 'domain_event_key', organizationId)).toBe(1);
    await dropOldEventKeys(db, new Date(Date.now() + hours(24 * eventKeyDays) + 60_000));
    expect(await countRows(db, 'domain_event_key', organizationId)).toBe(0);
    expect(await countRows(db, 'domain_event', organizationId)).toBe(1);
  });
});

test('emit refuses wrong events before there is a program: the compiler says so of each line below', () => {
  const compiled = async (tx: Tx) => {
    const envelope = { organizationId: 'o', source: 'server', occurredAt: new Date() } as const;
    const properties = exampleProperties.first_render_completed;
    const right = { name: 'first_render_completed', ...envelope, properties } as const;
    await emit(tx, right);
    const other = exampleProperties.job_canceled;
    // @ts-expect-error properties of another event
    await emit(tx, { ...right, name: 'video_rendered', properties: other });
    // @ts-expect-error a property of another type
    await emit(tx, { ...right, properties: { ...properties, format: 5 } });
    // @ts-expect-error an unknown property
    await emit(tx, { ...right, properties: { ...properties, colour: 'red' } });
    // @ts-expect-error an event that is not in the catalog
    await emit(tx, { ...right, name: 'render_done' });
    // @ts-expect-error a source that is none
    await emit(tx, { ...right, source: 'cron' });
  };
  expect(compiled).toBeTypeOf('function');
});
