import { describe, expect, test } from 'vitest';
import { anEvent, createProjector, derivedOf, start } from './play.ts';

const hour = 60;
const names = ['return_session', 'upload_returning_user', 'job_completed_returning_user'];

/** `name@cause` of what is concluded about returning, each event in a page of its own. */
const returnsAmong = (...events: ReturnType<typeof anEvent>[]): string[] => {
  const projector = createProjector();
  return events.flatMap((event) =>
    projector
      .project([event])
      .conclusions.filter(({ fact }) => names.includes(fact.name))
      .map(({ fact, cause }) => `${fact.name}@${cause.event}`),
  );
};

const view = (minute: number, given: Parameters<typeof anEvent>[1] = {}) =>
  anEvent('page_viewed', { minute, source: 'web', ...given });
const upload = (minute: number) => anEvent('upload_started', { minute });
const completed = (minute: number) =>
  anEvent('processing_completed', { minute, source: 'worker', properties: { job_id: 'job' } });

describe('a return', () => {
  test('is the first act after 12 hours away, and not a minute earlier', () => {
    expect(returnsAmong(view(0), view(12 * hour - 1))).toEqual([]);
    expect(returnsAmong(view(0), view(12 * hour))).toEqual(['return_session@page_viewed']);
  });

  test('is told once until the next pause, with the hours away', () => {
    const projector = createProjector();
    const { conclusions } = projector.project([
      view(0),
      view(30.5 * hour),
      view(31 * hour),
      view(42 * hour),
      view(60 * hour),
    ]);
    expect(conclusions.map(({ fact }) => fact)).toEqual([
      { name: 'return_session', properties: { hours_since_last: 30.5 } },
      { name: 'return_session', properties: { hours_since_last: 18 } },
    ]);
  });

  test('takes an act of the person: what a worker ends, or the projector itself concludes, is none', () => {
    expect(returnsAmong(view(0), completed(20 * hour), view(21 * hour))).toEqual([
      'return_session@page_viewed',
    ]);
    expect(returnsAmong(view(0), anEvent('return_session', { minute: 20 * hour }))).toEqual([]);
    for (const act of ['login_success', 'job_created', 'export_downloaded'])
      expect(returnsAmong(view(0), anEvent(act, { minute: 20 * hour }))).toEqual([`return_session@${act}`]);
  });

  test('is of one person: another one, or one of another tenant, has not been away', () => {
    const others = [{ userId: 'other' }, { organizationId: 'other' }, { userId: null, distinctId: 'user' }];
    for (const other of others) expect(returnsAmong(view(0), view(20 * hour, other))).toEqual([]);
    expect(returnsAmong(view(0), view(20 * hour, { userId: null }))).toEqual([]);
  });

  test('does not come of events that are told late', () => {
    expect(returnsAmong(view(20 * hour), view(0), view(21 * hour))).toEqual([]);
  });

  test('is not put off by a clock that is years ahead', () => {
    const projector = createProjector();
    const now = new Date(start);
    projector.project([view(1e6)], new Map(), now);
    const later = view(13 * hour);
    const { conclusions } = projector.project([later], new Map(), later.occurredAt);
    expect(conclusions.map(({ fact }) => fact.name)).toEqual(['return_session']);
  });

  test('within a day is told on its event', () => {
    const within = (hours: number) =>
      derivedOf(anEvent('return_session', { properties: { hours_since_last: hours } }))[0]?.return_within_24h;
    expect([12, 24, 24.01].map(within)).toEqual([true, true, false]);
  });
});

describe('in a session that is a return', () => {
  test('the first upload is told, once', () => {
    expect(returnsAmong(upload(0), upload(1), view(20 * hour), upload(21 * hour), upload(22 * hour))).toEqual(
      ['return_session@page_viewed', 'upload_returning_user@upload_started'],
    );
    expect(returnsAmong(view(0), upload(20 * hour), view(40 * hour), upload(41 * hour))).toEqual([
      'return_session@upload_started',
      'upload_returning_user@upload_started',
      'return_session@page_viewed',
      'upload_returning_user@upload_started',
    ]);
  });

  test('each job that is completed is told', () => {
    expect(
      returnsAmong(view(0), completed(1), view(20 * hour), completed(21 * hour), completed(22 * hour)),
    ).toEqual([
      'return_session@page_viewed',
      'job_completed_returning_user@processing_completed',
      'job_completed_returning_user@processing_completed',
    ]);
  });

  test('a job of somebody who is no user is not told', () => {
    const visitor = { userId: null, distinctId: 'visitor' };
    const done = { ...completed(21 * hour), ...visitor };
    expect(returnsAmong(view(0, visitor), view(20 * hour, visitor), done)).toEqual([
      'return_session@page_viewed',
    ]);
  });

  test('a job that is completed when the session is long over, or was before it, is not', () => {
    expect(returnsAmong(view(0), view(20 * hour), completed(40 * hour), completed(19 * hour))).toEqual([
      'return_session@page_viewed',
    ]);
  });
});

describe('signals of a session', () => {
  test('an upload is a repeat within ten minutes of the one before', () => {
    const seen = derivedOf(upload(0), upload(10), upload(20.1), upload(15), upload(30));
    expect(seen.map((values) => values.repeat_upload_within_10min)).toEqual([false, true, false, true, true]);
  });

  test('jobs are counted until the person first goes away', () => {
    const job = (minute: number) => anEvent('job_created', { minute });
    const seen = derivedOf(job(0), job(1), job(20 * hour), job(21 * hour));
    expect(seen.map((values) => values.jobs_attempted_in_first_session)).toEqual([1, 2, 2, 2]);
  });

  test('the way to the first call to action is measured once, where the page has not', () => {
    const click = (minute: number, properties = {}) =>
      anEvent('cta_click', { minute, source: 'web', properties });
    const seen = derivedOf(view(0), click(0.5), click(1));
    expect(seen.map((values) => values.time_to_first_cta_click)).toEqual([undefined, 30, undefined]);
    const measured = derivedOf(view(0), click(0.5, { time_to_first_cta_click: 29 }), click(1));
    expect(measured.map((values) => values.time_to_first_cta_click)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
