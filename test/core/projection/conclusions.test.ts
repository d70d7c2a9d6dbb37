import { describe, expect, test } from 'vitest';
import type { PersonFacts } from '../../../src/core/projection/person-facts.ts';
import type { ProjectedEvent } from '../../../src/core/projection/projected-event.ts';
import { anEvent, concludedFrom, createProjector, factsOf } from './play.ts';

const anonymous = { userId: null, distinctId: 'visitor', source: 'web' } as const;
const linked = anEvent('identity_linked', { distinctId: 'visitor' });

const activations = (...events: readonly ProjectedEvent[]) =>
  concludedFrom(...events).filter((name) => name === 'activation_complete').length;

const permutations = <T>(list: readonly T[]): T[][] =>
  list.length === 0
    ? [[]]
    : list.flatMap((one, at) => permutations(list.toSpliced(at, 1)).map((rest) => [one, ...rest]));

describe('activation', () => {
  const conditions = ['login_success', 'credits_granted', 'upload_view'];

  test.each(permutations(conditions).map((order) => [order.join(', '), order] as const))(
    'is complete after %s',
    (_title, order) => {
      expect(activations(...order.map((name) => anEvent(name)))).toBe(1);
    },
  );

  test.each(conditions)('waits for %s, however often the others come', (missing) => {
    const others = conditions.filter((name) => name !== missing);
    expect(activations(...[...others, ...others].map((name) => anEvent(name)))).toBe(0);
  });

  test('is complete once, however often all three come', () => {
    expect(activations(...[...conditions, ...conditions].map((name) => anEvent(name)))).toBe(1);
  });

  test('needs all three of one user of one tenant', () => {
    const [first = '', second = '', third = ''] = conditions;
    expect(activations(anEvent(first), anEvent(second), anEvent(third, { userId: 'other' }))).toBe(0);
    expect(activations(anEvent(first), anEvent(second), anEvent(third, { organizationId: 'other' }))).toBe(0);
  });

  test('counts what the visitor saw before it was known, as soon as it is linked', () => {
    const [seen, login, credits] = [
      anEvent('upload_view', anonymous),
      anEvent('login_success'),
      anEvent('credits_granted'),
    ];
    expect(activations(seen, login, credits)).toBe(0);
    for (const order of permutations([login, credits, linked])) expect(activations(seen, ...order)).toBe(1);
    expect(activations(seen, login, credits, linked, linked)).toBe(1);
  });

  test('counts what a visitor sees whose user is known by its link', () => {
    const view = anEvent('upload_view', anonymous);
    const facts = new Map<number, PersonFacts>([[view.position, factsOf(view, { userId: 'user' })]]);
    const { conclusions } = createProjector().project(
      [anEvent('login_success'), anEvent('credits_granted'), view],
      facts,
    );
    expect(conclusions.map(({ fact, userId }) => [fact.name, userId])).toEqual([
      ['activation_complete', 'user'],
    ]);
  });

  test('does not count what a visitor saw whom only a login names: it may belong to somebody else', () => {
    const seen = anEvent('upload_view', anonymous);
    const login = anEvent('login_success', { distinctId: 'visitor' });
    expect(activations(seen, login, anEvent('credits_granted', { distinctId: 'visitor' }))).toBe(0);
  });

  test('does not count what a visitor of another tenant saw', () => {
    const elsewhere = anEvent('upload_view', { ...anonymous, organizationId: 'other' });
    expect(activations(elsewhere, anEvent('login_success'), anEvent('credits_granted'), linked)).toBe(0);
  });
});

describe('a visitor that turns out to be a user', () => {
  test('takes its return along', () => {
    const projector = createProjector();
    const day = 24 * 60;
    projector.project([
      anEvent('page_viewed', anonymous),
      anEvent('page_viewed', { ...anonymous, minute: day }),
      anEvent('login_success', { minute: day + 1 }),
      linked,
    ]);
    const done = anEvent('processing_completed', {
      minute: day + 5,
      source: 'worker',
      properties: { job_id: 'job' },
    });
    expect(projector.project([done]).conclusions.map(({ fact }) => fact.name)).toEqual([
      'job_completed_returning_user',
    ]);
  });
});

describe('a first landing', () => {
  const landing = (given: Parameters<typeof anEvent>[1] = {}) =>
    anEvent('landing_view', { ...anonymous, ...given });
  const landings = (...events: readonly ProjectedEvent[]) =>
    concludedFrom(...events).filter((name) => name === 'first_landing_recorded').length;

  test('is recorded once per visitor, with where it came from', () => {
    const properties = { utm_source: 'mail', page_path: '/', utm_medium: 7, secret: 'x', ad_id: null };
    const { conclusions } = createProjector().project([landing({ properties }), landing()]);
    expect(conclusions.map(({ fact }) => fact)).toEqual([
      { name: 'first_landing_recorded', properties: { utm_source: 'mail', page_path: '/' } },
    ]);
    expect(landings(landing(), landing({ distinctId: 'other' }), landing({ organizationId: 'other' }))).toBe(
      3,
    );
  });

  test('is not recorded where the tenant does it: before, or in the same page', () => {
    const own = anEvent('first_landing_recorded', anonymous);
    expect(landings(own, landing())).toBe(0);
    expect(landings(landing(), own)).toBe(0);
    const projector = createProjector();
    projector.project([own]);
    expect(projector.project([landing()]).conclusions).toEqual([]);
  });

  test('needs a visitor, and stays one after it was linked', () => {
    expect(landings(landing({ distinctId: null, userId: 'user' }))).toBe(0);
    expect(landings(landing(), linked, landing({ userId: 'user' }))).toBe(1);
    expect(landings(landing({ userId: 'user' }), landing({ userId: 'user', distinctId: 'second' }))).toBe(2);
  });
});

describe('the latency of a job', () => {
  const facts = (properties: Record<string, unknown>) =>
    createProjector()
      .project([anEvent('processing_completed', { source: 'worker', properties })])
      .conclusions.map(({ fact }) => fact.properties);

  test.each([
    [{ queue_wait_ms: 10_000, processing_time_ms: 19_999 }, '<30s', 29_999],
    [{ queue_wait_ms: 10_000, processing_time_ms: 20_000 }, '30-120s', 30_000],
    [{ queue_wait_ms: 100_000, processing_time_ms: 20_000 }, '30-120s', 120_000],
    [{ queue_wait_ms: 100_000, processing_time_ms: 20_001 }, '>120s', 120_001],
    [{ processing_time_ms: 5 }, '<30s', 5],
  ])('of %j is %s', (times, bucket, latency_ms) => {
    expect(facts({ job_id: 'job', ...times })).toEqual([{ job_id: 'job', bucket, latency_ms }]);
  });

  test.each([
    ['without a job', { processing_time_ms: 5 }],
    ['without the work', { job_id: 'job', queue_wait_ms: 5 }],
    ['of no amount', { job_id: 'job', processing_time_ms: 1e308, queue_wait_ms: 1e308 }],
  ])('is not told %s', (_what, properties) => {
    expect(facts(properties)).toEqual([]);
  });

  test("takes a job's id that is a number, and is not told of a failure", () => {
    expect(facts({ job_id: 7, processing_time_ms: 5 })).toMatchObject([{ job_id: '7' }]);
    expect(
      concludedFrom(anEvent('processing_failed', { properties: { job_id: 'job', processing_time_ms: 5 } })),
    ).toEqual([]);
  });
});

describe('the metrics of a batch', () => {
  const metrics = (event: string, properties: Record<string, unknown>, entityType = 'batch') =>
    createProjector()
      .project([anEvent(event, { source: 'worker', entityType, entityId: 'b', properties })])
      .conclusions.map(({ fact }) => fact.properties);

  test('are its share of successes and its pace', () => {
    const ended = { jobId: 'b', successCount: 48, failCount: 2, duration: 120_000 };
    expect(metrics('batch_completed', ended)).toEqual([
      { jobId: 'b', success_rate: 0.96, items_per_minute: 25, duration: 120_000 },
    ]);
    expect(metrics('batch_failed', { jobId: 'b', successCount: 0, failCount: 3 })).toEqual([
      { jobId: 'b', success_rate: 0, items_per_minute: 0 },
    ]);
    expect(metrics('batch_failed', { jobId: 'b', successCount: 0, failCount: 0, duration: 0 })).toEqual([
      { jobId: 'b', success_rate: 0, items_per_minute: 0, duration: 0 },
    ]);
  });

  test('are not told of a batch that is canceled, is not ours, or does not tell its counts', () => {
    const ended = { jobId: 'b', successCount: 1, failCount: 1, duration: 1 };
    expect(metrics('batch_cancelled', ended)).toEqual([]);
    expect(metrics('batch_completed', ended, 'dough')).toEqual([]);
    expect(metrics('batch_completed', { ...ended, failCount: 'none' })).toEqual([]);
    expect(metrics('batch_completed', { ...ended, jobId: 7 })).toEqual([]);
  });
});

test('no conclusion is a cause of another', () => {
  const names = [
    ...['activation_complete', 'return_session', 'upload_returning_user', 'job_completed_returning_user'],
    ...['latency_bucket', 'batch_metrics_computed', 'first_landing_recorded'],
  ];
  const day = 24 * 60;
  const events = names.map((name, at) =>
    anEvent(name, { minute: at * day, distinctId: 'visitor', properties: { job_id: 'job', jobId: 'b' } }),
  );
  expect(concludedFrom(...events)).toEqual([]);
});
