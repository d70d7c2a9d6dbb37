import { afterAll, describe, expect, test } from 'vitest';
import type { EventName } from '../../../src/core/events/catalog.ts';
import { newId } from '../../../src/core/ids.ts';
import { createServerTracking, type ServerTracking } from '../../../src/features/tracking/server-tracking.ts';
import {
  countRows,
  createOrganization,
  createTestClock,
  eventsOf,
  noon,
  openTestDatabase,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const properties = { compositionId: 'hero-ad', format: 'png', width: 1080, height: 1080 };

const setUp = async () => {
  const organizationId = await createOrganization(db);
  return { organizationId, tracking: createServerTracking({ db, clock: createTestClock(), organizationId }) };
};

describe('tracking', () => {
  test('is in the log when track resolves, with the time of the clock where none is given', async () => {
    const { organizationId, tracking } = await setUp();
    await tracking.track('video_rendered', properties, { userId: 'ann' });
    expect(await eventsOf(db, organizationId)).toEqual([
      { event_name: 'video_rendered', properties: { ...properties, timestamp: noon } },
    ]);
    const row = await db
      .selectFrom('domain_event')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ user_id: 'ann', source: 'server', occurred_at: new Date(noon) });
  });

  test('keeps a time that was given', async () => {
    const { organizationId, tracking } = await setUp();
    await tracking.track('video_rendered', { ...properties, timestamp: '2024-01-28T12:00:00Z' });
    await tracking.track('video_rendered', properties, { occurredAt: new Date('2024-01-29T00:00:00Z') });
    const times = (await eventsOf(db, organizationId)).map((event) => event.properties.timestamp);
    expect(times).toEqual(['2024-01-28T12:00:00Z', '2024-01-29T00:00:00.000Z']);
  });

  test('fills in no time in properties of an event that has none there', async () => {
    const { organizationId, tracking } = await setUp();
    await tracking.track('landing_view', { utm_source: 'news' }, { distinctId: 'visitor-1' });
    expect(await eventsOf(db, organizationId)).toEqual([
      { event_name: 'landing_view', properties: { utm_source: 'news' } },
    ]);
  });

  test('refuses what the catalog refuses, and writes nothing', async () => {
    const { organizationId, tracking } = await setUp();
    const untyped = tracking.track as (name: string, properties: object) => Promise<void>;
    await expect(untyped('video_render', properties)).rejects.toMatchObject({
      code: 'invalid_event',
      message: '"video_render" is not in the event catalog.',
    });
    await expect(untyped('video_rendered', { ...properties, width: 'wide' })).rejects.toMatchObject({
      code: 'invalid_event',
    });
    await expect(untyped('video_rendered', { ...properties, colour: 'red' })).rejects.toMatchObject({
      code: 'invalid_event',
    });
    await expect(untyped('processing_started', {})).rejects.toMatchObject({ code: 'invalid_event' });
    expect(await countRows(db, 'domain_event', organizationId)).toBe(0);
  });

  test('records an id once', async () => {
    const { organizationId, tracking } = await setUp();
    const id = newId();
    for (const _round of [1, 2]) await tracking.track('video_rendered', properties, { id });
    expect(await countRows(db, 'domain_event', organizationId)).toBe(1);
  });

  test('is always enabled: the log is', async () => {
    expect((await setUp()).tracking.isEnabled()).toBe(true);
  });

  test('refuses wrong properties before there is a program: the compiler says so of each line below', () => {
    const compiled = async (tracking: ServerTracking, name: EventName) => {
      await tracking.track('video_rendered', properties);
      // @ts-expect-error a required property is missing
      await tracking.track('video_rendered', { compositionId: 'c', format: 'png', width: 1 });
      // @ts-expect-error a property of another type
      await tracking.track('video_rendered', { ...properties, width: 'wide' });
      // @ts-expect-error an event that is not in the catalog
      await tracking.track('video_render', properties);
      return name;
    };
    expect(compiled).toBeTypeOf('function');
  });
});
