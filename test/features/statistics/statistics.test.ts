import { beforeEach, describe, expect, test } from 'vitest';
import { startFolding } from '../../../src/apps/worker/fold-statistics.ts';
import { changeOrganization } from '../../../src/domain/accounts/organizations.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { foldDeltas } from '../../../src/domain/statistics/fold-deltas.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import {
  accept,
  complete,
  countRows,
  createKey,
  createUser,
  noon,
  start,
  times,
} from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let admin: string;
let who: Metered;
beforeEach(async () => {
  tenant = await createTenant(api);
  admin = (await createKey(api.db, tenant.organizationId, 'admin')).key;
  who = await createUser(api.db, tenant.organizationId, { id: 'ada', tier: 'pro' });
});

interface Figures {
  readonly totalExports: number;
  readonly accepted: number;
}
interface Answer extends Figures {
  readonly [name: string]: unknown;
  readonly window: Figures & {
    readonly from: string;
    readonly until: string;
    readonly days: readonly (Figures & { readonly day: string })[];
    readonly peakHours: readonly { readonly hour: number; readonly accepted: number }[];
  };
  readonly months: readonly (Figures & { readonly month: string })[];
}

const get = async (path: string, key = tenant.key): Promise<Answer> => {
  const response = await api.call(path, { key });
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Answer;
};
const ofUser = (query = '') => get(`/api/stats/user?userId=ada${query}`);
const ofProject = (query = '') => get(`/api/stats/project/launch${query}`);
const ofSystem = (query = '', key = admin) => get(`/api/stats/system${query}`, key);

const at = (time: string) => new Date(`2026-${time}:00Z`);
const order = { projectId: 'launch', kind: 'still', format: 'png' } as const;
const video = { ...order, kind: 'video', format: 'mp4' } as const;

/** Two videos and a still that completed, one failed, one canceled, one still waiting. */
const aBusyWeek = async (user = who) => {
  for (const [seconds, renderTimeMs] of [
    [10, 3000],
    [20, 5000],
  ] as const) {
    const row = await accept(api.db, user, video, at('03-08T09:15'));
    const fence = await start(api.db, row);
    await complete(api.db, fence, { sizeInBytes: 1000, durationSeconds: seconds, renderTimeMs });
  }
  const still = await start(api.db, await accept(api.db, user, order, at('03-09T09:59')));
  await complete(api.db, still, { sizeInBytes: 10, renderTimeMs: 400 });
  const failing = await start(api.db, await accept(api.db, user, order, at('03-09T23:00')));
  const reason = { code: 'render_failed', text: 'no' } as const;
  await api.db.transaction().execute((tx) => failExport(tx, failing, reason, at('03-10T11:00')));
  const canceled = await accept(api.db, user, { ...order, format: 'webp' }, at('03-10T09:00'));
  await api.db
    .transaction()
    .execute((tx) => requestCancel(tx, tenant.organizationId, canceled.id, at('03-10T09:01')));
  await accept(api.db, user, video, at('03-10T11:30'));
};

const figures = {
  totalExports: 4,
  accepted: 6,
  completed: 3,
  failed: 1,
  canceled: 1,
  cached: 0,
  successRate: 0.75,
  totalDurationSeconds: 30,
  averageDurationSeconds: 15,
  averageRenderMs: 2800,
  bytes: 2010,
};
const nothing = {
  totalExports: 0,
  accepted: 0,
  completed: 0,
  failed: 0,
  canceled: 0,
  cached: 0,
  successRate: null,
  totalDurationSeconds: 0,
  averageDurationSeconds: null,
  averageRenderMs: null,
  bytes: 0,
};

describe('statistics of a user', () => {
  test('before any export are zeros, an unknown rate and no favourite, for every day of the last thirty', async () => {
    const { window, ...answer } = await ofUser();
    expect(answer).toEqual({
      userId: 'ada',
      tier: 'pro',
      limit: 50,
      remaining: 50,
      resetAt: '2026-03-11T00:00:00.000Z',
      timeZone: 'UTC',
      lastExportAt: null,
      favoriteFormat: null,
      ...nothing,
      formats: [],
    });
    const { days, ...rest } = window;
    expect(rest).toEqual({ from: '2026-02-09', until: '2026-03-10', ...nothing });
    expect(days).toHaveLength(30);
    expect(days[0]).toEqual({ day: '2026-02-09', ...nothing });
    expect(days.at(-1)).toEqual({ day: '2026-03-10', ...nothing });
  });

  test.each(['before a fold', 'after a fold'])('say what became of the exports, %s', async (when) => {
    await aBusyWeek();
    if (when === 'after a fold') await foldDeltas(api.db);
    const answer = await ofUser();
    expect(answer).toMatchObject({
      ...figures,
      lastExportAt: '2026-03-10T11:30:00.000Z',
      favoriteFormat: 'mp4',
      limit: 50,
      remaining: 49,
      formats: [
        { format: 'mp4', accepted: 3, completed: 2, totalDurationSeconds: 30, averageRenderMs: 4000 },
        { format: 'png', accepted: 2, completed: 1, failed: 1, successRate: 0.5 },
        { format: 'webp', accepted: 1, canceled: 1, successRate: null },
      ],
      window: figures,
    });
    const days = answer.window.days.filter((day) => day.accepted > 0);
    expect(days).toMatchObject([
      { day: '2026-03-08', accepted: 2, completed: 2 },
      { day: '2026-03-09', accepted: 2, completed: 1, failed: 1 },
      { day: '2026-03-10', accepted: 2, canceled: 1, totalExports: 1 },
    ]);
  });

  test('choose the first by name of formats that were used equally', async () => {
    for (const format of ['webp', 'jpeg', 'png'] as const) await accept(api.db, who, { ...order, format });
    expect((await ofUser()).favoriteFormat).toBe('jpeg');
  });

  test('agree with the count of the project and its last export', async () => {
    await aBusyWeek();
    const project = await get('/api/projects/launch');
    const { totalExports, lastExportAt } = await ofProject();
    expect(project).toMatchObject({ exportCount: totalExports, lastExportAt });
  });

  test('speak of the days of the organization, and say whose', async () => {
    await api.db
      .transaction()
      .execute((tx) => changeOrganization(tx, tenant.organizationId, { timeZone: 'Asia/Tokyo' }));
    await accept(api.db, { ...who, timeZone: 'Asia/Tokyo' }, order, at('03-09T20:00'));
    const answer = await ofUser();
    expect(answer.timeZone).toBe('Asia/Tokyo');
    expect(answer.window).toMatchObject({ until: '2026-03-10', accepted: 1 });
    expect(answer.window.days.at(-1)).toMatchObject({ day: '2026-03-10', accepted: 1 });
    expect((await ofSystem()).window.peakHours.filter((hour) => hour.accepted > 0)).toMatchObject([
      { hour: 5 },
    ]);
  });
});

describe('statistics of a project', () => {
  test('sum its exports over its users, and no other project', async () => {
    await aBusyWeek();
    await aBusyWeek(await createUser(api.db, tenant.organizationId, { id: 'bob' }));
    await accept(api.db, who, { ...order, projectId: 'other' });
    await foldDeltas(api.db);
    expect(await ofProject()).toMatchObject({
      projectId: 'launch',
      name: null,
      accepted: 12,
      completed: 6,
      averageDurationSeconds: 15,
      bytes: 4020,
    });
    expect((await ofUser()).accepted).toBe(7);
    expect((await ofSystem()).accepted).toBe(13);
  });
});

describe('statistics of the system', () => {
  test('have months, popular formats, peak hours and days, and who was active', async () => {
    await aBusyWeek();
    const bob = await createUser(api.db, tenant.organizationId, { id: 'bob' });
    await accept(api.db, bob, { ...order, projectId: 'old' }, at('01-31T23:59'));
    await foldDeltas(api.db);
    const { window, months, ...answer } = await ofSystem();
    expect(answer).toMatchObject({
      organizationId: tenant.organizationId,
      accepted: 7,
      favoriteFormat: 'mp4',
    });
    expect(months).toHaveLength(12);
    expect(months[0]).toMatchObject({ month: '2025-04', accepted: 0 });
    expect(months.filter((month) => month.accepted > 0)).toMatchObject([
      { month: '2026-01', accepted: 1 },
      { month: '2026-03', ...figures },
    ]);
    expect(window).toMatchObject({
      ...figures,
      activeUsers: 1,
      activeProjects: 1,
      popularFormats: [{ format: 'mp4' }, { format: 'png', accepted: 2 }, { format: 'webp' }],
      peakDays: [
        { day: '2026-03-08', accepted: 2 },
        { day: '2026-03-09', accepted: 2 },
        { day: '2026-03-10', accepted: 2 },
      ],
    });
    expect(window.peakHours.map((one) => one.hour)).toEqual(times(24, (hour) => hour));
    expect(window.peakHours[9]).toEqual({ hour: 9, accepted: 4, completed: 3, failed: 0 });
    expect(window.peakHours[23]).toEqual({ hour: 23, accepted: 1, completed: 0, failed: 1 });
    expect((await ofSystem('?from=2026-01-01')).window).toMatchObject({ activeUsers: 2, activeProjects: 2 });
  });

  test('end at the border of the organization', async () => {
    await aBusyWeek();
    const stranger = await createTenant(api);
    const strangersAdmin = (await createKey(api.db, stranger.organizationId, 'admin')).key;
    for (const folded of [false, true]) {
      if (folded) await foldDeltas(api.db);
      const answer = await ofSystem('', strangersAdmin);
      expect(answer).toMatchObject({
        organizationId: stranger.organizationId,
        lastExportAt: null,
        accepted: 0,
      });
      expect(answer.window).toMatchObject({
        accepted: 0,
        activeUsers: 0,
        activeProjects: 0,
        popularFormats: [],
      });
      for (const path of ['/api/stats/user?userId=ada', '/api/stats/project/launch'])
        expect(await refusalOf(await api.call(path, { key: stranger.key }))).toMatchObject({ status: 404 });
    }
  });
});

describe('a window', () => {
  test('is the days that were asked for, both ends included', async () => {
    await aBusyWeek();
    const { window, accepted } = await ofUser('&from=2026-03-08&until=2026-03-09');
    expect(accepted).toBe(6);
    expect(window).toMatchObject({ from: '2026-03-08', until: '2026-03-09', accepted: 4 });
    expect(window.days.map((day) => day.day)).toEqual(['2026-03-08', '2026-03-09']);
    expect((await ofProject('?until=2026-03-08')).window).toMatchObject({ from: '2026-02-07', accepted: 2 });
    expect((await ofSystem('?from=2025-03-10&until=2026-03-10')).window.days).toHaveLength(366);
  });

  test.each([
    ['from=2026-03-11', 'after its last day (today, 2026-03-10)'],
    ['from=2026-02-01&until=2026-01-31', 'give a from that is not after until'],
    ['from=2025-03-09&until=2026-03-10', 'has 367 days; 366 are the most'],
    ['from=2026-02-30', 'from: must be a day that exists, as YYYY-MM-DD'],
    ['until=yesterday', 'until: must be a day that exists, as YYYY-MM-DD'],
    ['from=2026-03-01T00:00:00Z', 'from: must be a day that exists'],
    ['from=0000-01-01', 'out of reach'],
    ['since=2026-03-01', 'since'],
  ])('asked for as %s is refused with 400 and says why', async (query, message) => {
    for (const [path, key] of [
      [`/api/stats/user?userId=ada&${query}`, tenant.key],
      [`/api/stats/system?${query}`, admin],
    ] as const) {
      const refusal = await refusalOf(await api.call(path, { key }));
      expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(refusal.message).toContain(message);
    }
  });
});

describe('access', () => {
  const paths = ['/api/stats/user?userId=ada', '/api/stats/project/launch', '/api/stats/system'];

  test.each(paths)('to %s needs a key of its kind', async (path) => {
    expect(await refusalOf(await api.call(path))).toMatchObject({ status: 401 });
    const right = path === '/api/stats/system' ? 'admin' : 'secret';
    for (const kind of (['secret', 'publishable', 'admin'] as const).filter((one) => one !== right)) {
      const { key } = await createKey(api.db, tenant.organizationId, kind);
      const refusal = await refusalOf(await api.call(path, { key }));
      expect(refusal).toMatchObject({ status: 403, code: 'forbidden' });
      expect(refusal.message).toContain(`needs a key of kind ${right}`);
    }
  });

  test('to someone who does not exist is 404, and without a user 400', async () => {
    for (const path of ['/api/stats/user?userId=nobody', '/api/stats/project/nothing'])
      expect(await refusalOf(await api.call(path, { key: tenant.key }))).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    expect(await refusalOf(await api.call('/api/stats/user', { key: tenant.key }))).toMatchObject({
      status: 400,
    });
  });
});

test('a worker folds what has piled up, and answers stay what they were', async () => {
  await aBusyWeek();
  const before = [await ofUser(), await ofProject(), await ofSystem()];
  expect(await countRows(api.db, 'export_stat_delta', tenant.organizationId)).toBeGreaterThan(0);
  const folding = startFolding(api);
  await expect.poll(() => countRows(api.db, 'export_stat_delta', tenant.organizationId)).toBe(0);
  await folding.stop();
  expect([await ofUser(), await ofProject(), await ofSystem()]).toEqual(before);
});

test('time is the clock of the service, not of the database', async () => {
  expect((await ofUser()).window.until).toBe(noon.slice(0, 10));
});
