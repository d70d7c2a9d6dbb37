import { afterAll, describe, expect, test } from 'vitest';
import type { EventName } from '../../../src/core/events/catalog.ts';
import { isUuid } from '../../../src/core/ids.ts';
import { projectEvents } from '../../../src/domain/projection/project-events.ts';
import { createOrganization, noon, openTestDatabase, times } from '../../support/factories.ts';
import { createProjector, record } from './projector.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const projector = createProjector(db);
const web = { source: 'web' } as const;
const day = 24 * 60;

/** Of what was concluded under that name: what the test is about. */
const concluded = (organizationId: string, name: EventName) =>
  projector
    .seen(organizationId, name)
    .map(({ properties, userId, distinctId }) => ({ properties, userId, distinctId }));

describe('activation_complete', () => {
  const conditions = ['login_success', 'credits_granted', 'upload_view'] as const;

  test('comes once per user, over pages of one event each', async () => {
    const organizationId = await createOrganization(db);
    for (const userId of ['ann', 'ben', 'ann'])
      await record(db, organizationId, conditions.toReversed(), { userId });
    await record(db, organizationId, ['login_success', 'credits_granted'], { userId: 'cat' });
    await projector.run(1);
    expect(concluded(organizationId, 'activation_complete')).toEqual([
      { properties: {}, userId: 'ann', distinctId: null },
      { properties: {}, userId: 'ben', distinctId: null },
    ]);
  });

  test('counts an upload_view of before the visitor was known, as soon as it is linked', async () => {
    const organizationId = await createOrganization(db);
    await record(db, organizationId, 'upload_view', { distinctId: 'visitor', ...web });
    await record(db, organizationId, ['login_success', 'credits_granted'], { userId: 'ann' });
    await projector.run();
    expect(concluded(organizationId, 'activation_complete')).toEqual([]);

    projector.link(organizationId, 'visitor', 'ann');
    const linked = { userId: 'ann', distinctId: 'visitor' };
    await record(db, organizationId, 'identity_linked', linked);
    await record(db, organizationId, 'identity_linked', linked);
    await projector.run();
    expect(concluded(organizationId, 'activation_complete')).toEqual([{ properties: {}, ...linked }]);
  });

  test('counts an upload_view of a visitor whose user is known, and never one of another tenant', async () => {
    const [organizationId, other] = [await createOrganization(db), await createOrganization(db)];
    projector.link(organizationId, 'visitor', 'ann');
    for (const id of [organizationId, other]) {
      await record(db, id, ['login_success', 'credits_granted'], { userId: 'ann' });
      await record(db, id, 'upload_view', { distinctId: 'visitor', ...web });
    }
    await projector.run();
    expect(concluded(organizationId, 'activation_complete')).toHaveLength(1);
    expect(concluded(other, 'activation_complete')).toEqual([]);
  });
});

describe('somebody who comes back', () => {
  test('has a return_session, an upload_returning_user and its job_completed_returning_user', async () => {
    const organizationId = await createOrganization(db);
    const ann = { userId: 'ann' };
    await record(db, organizationId, 'page_viewed', { ...ann, ...web });
    await projector.run();
    await record(db, organizationId, 'page_viewed', { ...ann, ...web, minute: day });
    await projector.run();
    await record(db, organizationId, ['upload_started', 'upload_started'], { ...ann, minute: day + 1 });
    const properties = { job_id: 'job-1' };
    await record(db, organizationId, 'processing_completed', {
      ...ann,
      source: 'worker',
      minute: day + 2,
      properties,
    });
    await projector.run();
    const who = { userId: 'ann', distinctId: null };
    expect(concluded(organizationId, 'return_session')).toEqual([
      { properties: { hours_since_last: 24 }, ...who },
    ]);
    expect(projector.seen(organizationId, 'return_session')[0]?.values).toMatchObject({
      return_within_24h: true,
    });
    expect(concluded(organizationId, 'upload_returning_user')).toEqual([{ properties: {}, ...who }]);
    expect(concluded(organizationId, 'job_completed_returning_user')).toEqual([{ properties, ...who }]);
  });

  test('may be a visitor whom nobody knows', async () => {
    const organizationId = await createOrganization(db);
    await record(db, organizationId, 'page_viewed', { distinctId: 'visitor', ...web });
    await record(db, organizationId, 'page_viewed', { distinctId: 'visitor', ...web, minute: day });
    await projector.run();
    expect(concluded(organizationId, 'return_session')).toEqual([
      { properties: { hours_since_last: 24 }, userId: null, distinctId: 'visitor' },
    ]);
  });

  test('is remembered when the visitor turns out to be a user', async () => {
    const organizationId = await createOrganization(db);
    const visitor = { distinctId: 'visitor', ...web };
    await record(db, organizationId, 'page_viewed', visitor);
    await record(db, organizationId, 'page_viewed', { ...visitor, minute: day });
    await record(db, organizationId, 'identity_linked', {
      userId: 'ann',
      distinctId: 'visitor',
      minute: day,
    });
    await record(db, organizationId, 'upload_started', { userId: 'ann', minute: day + 1 });
    await projector.run(1);
    expect(concluded(organizationId, 'return_session')).toHaveLength(1);
    expect(concluded(organizationId, 'upload_returning_user')).toHaveLength(1);
  });
});

describe('first_landing_recorded', () => {
  test('comes once per visitor, and not where the tenant sends it itself', async () => {
    const organizationId = await createOrganization(db);
    const properties = { utm_source: 'mail', page_path: '/hello' };
    const land = (distinctId: string) =>
      record(db, organizationId, 'landing_view', { distinctId, ...web, properties });
    await record(db, organizationId, 'first_landing_recorded', { distinctId: 'told', ...web });
    for (const visitor of ['told', 'a', 'b', 'a']) await land(visitor);
    await projector.run(1);
    for (const visitor of ['a', 'told']) await land(visitor);
    await projector.run();
    const ours = projector
      .seen(organizationId, 'first_landing_recorded')
      .filter((event) => event.source === 'server');
    expect(ours.map((event) => [event.distinctId, event.properties])).toEqual([
      ['a', properties],
      ['b', properties],
    ]);
  });
});

describe('the end of work', () => {
  test('latency_bucket comes of each job that was completed', async () => {
    const organizationId = await createOrganization(db);
    const ends = [10_000, 30_000, 120_000, 120_001];
    for (const [index, processing_time_ms] of ends.entries()) {
      const properties = { job_id: `job-${index}`, queue_wait_ms: 0, processing_time_ms };
      await record(db, organizationId, 'processing_completed', {
        userId: 'ann',
        source: 'worker',
        properties,
      });
    }
    await projector.run();
    expect(concluded(organizationId, 'latency_bucket').map((event) => event.properties)).toEqual(
      ['<30s', '30-120s', '30-120s', '>120s'].map((bucket, index) => ({
        job_id: `job-${index}`,
        bucket,
        latency_ms: ends[index],
      })),
    );
  });

  test('batch_metrics_computed comes of each run of a batch', async () => {
    const organizationId = await createOrganization(db);
    const entity = { type: 'batch', id: 'b' };
    const ended = { jobId: 'b', successCount: 3, failCount: 1, duration: 60_000 };
    await record(db, organizationId, 'batch_completed', { entity, source: 'worker', properties: ended });
    await record(db, organizationId, 'batch_failed', {
      entity,
      source: 'worker',
      properties: { ...ended, successCount: 0 },
    });
    await projector.run();
    expect(concluded(organizationId, 'batch_metrics_computed').map((event) => event.properties)).toEqual([
      { jobId: 'b', success_rate: 0.75, items_per_minute: 4, duration: 60_000 },
      { jobId: 'b', success_rate: 0, items_per_minute: 1, duration: 60_000 },
    ]);
  });
});

describe('a conclusion', () => {
  test('has the time and the envelope of its cause, and an id that is made of it', async () => {
    const organizationId = await createOrganization(db);
    const envelope = {
      userId: 'ann',
      distinctId: 'visitor',
      sessionId: 'session',
      correlationId: 'request',
      entity: { type: 'export', id: 'job-1' },
    };
    const properties = { job_id: 'job-1', processing_time_ms: 5 };
    await record(db, organizationId, 'processing_completed', {
      ...envelope,
      source: 'worker',
      minute: 7,
      properties,
    });
    await projector.run();
    const [cause] = projector.seen(organizationId, 'processing_completed');
    const [effect] = projector.seen(organizationId, 'latency_bucket');
    const shared = [
      'userId',
      'distinctId',
      'sessionId',
      'correlationId',
      'entityType',
      'entityId',
      'occurredAt',
    ] as const;
    for (const name of shared) expect(effect?.[name]).toEqual(cause?.[name]);
    expect(effect?.source).toBe('server');
    expect(isUuid(effect?.id ?? '')).toBe(true);
    expect(effect?.id).not.toBe(cause?.id);
  });

  test('is told once even if its cause is read again', async () => {
    const organizationId = await createOrganization(db);
    const properties = { job_id: 'job-1', processing_time_ms: 5 };
    await record(db, organizationId, 'processing_completed', { userId: 'ann', source: 'worker', properties });
    await projector.run();
    const again = projector.seen(organizationId);
    await db.transaction().execute((tx) => projectEvents(tx, again, new Map(), new Date(noon)));
    await projector.run();
    expect(projector.seen(organizationId, 'latency_bucket')).toHaveLength(1);
  });

  test('causes no other: the log comes to rest', async () => {
    const organizationId = await createOrganization(db);
    const ann = { userId: 'ann', distinctId: 'visitor', ...web };
    for (const minute of times(4, (index) => index * day))
      await record(db, organizationId, ['landing_view', 'upload_view', 'upload_started', 'job_created'], {
        ...ann,
        minute,
      });
    await projector.run();
    const before = projector.seen(organizationId).length;
    await projector.run();
    expect(projector.seen(organizationId)).toHaveLength(before);
    expect(projector.seen(organizationId, 'return_session')).toHaveLength(3);
  });

  test('is made of odd input without stopping the log', async () => {
    const organizationId = await createOrganization(db);
    const huge = {
      job_id: 'x',
      jobId: 'x',
      processing_time_ms: 1e308,
      queue_wait_ms: 1e308,
      duration: 1e308,
    };
    const odd = [
      huge,
      { ...huge, successCount: 9e15, failCount: 9e15, duration: 0 },
      { job_id: {}, jobId: [], email: 7 },
    ];
    const names = [
      'processing_completed',
      'batch_completed',
      'job_created',
      'cta_click',
      'return_session',
    ] as const;
    const entity = { type: 'batch', id: 'b' };
    for (const properties of odd)
      await record(db, organizationId, names, { userId: 'ann', entity, properties });
    await projector.run();
    expect(projector.seen(organizationId, 'batch_metrics_computed')).toHaveLength(1);
  });
});
