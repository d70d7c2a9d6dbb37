import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Check } from '../../../src/apps/cli/doctor/check.ts';
import { judgeEvents } from '../../../src/apps/cli/doctor/check-events.ts';
import { checkNode, checkSetpriv, judgeFonts } from '../../../src/apps/cli/doctor/check-machine.ts';
import { judgeModes } from '../../../src/apps/cli/doctor/check-modes.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { startTestRedis } from '../../support/redis.ts';
import { runCommand } from './run-command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-doctor-'));
});
afterEach(() => rm(folder, { recursive: true }));

const examine = async (environment: Record<string, string>) => {
  const home = join(folder, 'home');
  const { exitCode, out } = await runCommand(['doctor', '--json'], { RENDERMILL_HOME: home, ...environment });
  const { ok, checks } = JSON.parse(out.join('\n')) as { ok: boolean; checks: Check[] };
  expect(exitCode).toBe(ok ? 0 : 1);
  return { ok, of: (name: string) => checks.find((check) => check.name === name) };
};

describe('doctor', () => {
  it('finds a machine well on which nothing runs yet, and makes nothing', async () => {
    const { ok, of } = await examine({});
    expect(ok).toBe(true);
    expect(of('browser')).toMatchObject({ status: 'ok', found: expect.stringMatching(/\d+\.\d+/) });
    expect(of('database')).toMatchObject({ status: 'ok', found: expect.stringContaining('not running') });
    expect(of('migrations')).toMatchObject({ status: 'unknown' });
    await expect(stat(join(folder, 'home'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('names every wrong variable and still looks at the machine', async () => {
    const { ok, of } = await examine({ PORT: 'x', LOG_LEVEL: 'loud' });
    expect(ok).toBe(false);
    expect(of('configuration')?.found).toMatch(/PORT[\s\S]*LOG_LEVEL/);
    expect(of('browser')).toMatchObject({ status: 'ok' });
    expect(of('database')).toMatchObject({ status: 'unknown' });
  });

  it('tells of a database, its migrations and workers', async () => {
    const database = await createTestDatabase();
    try {
      const { ok, of } = await examine({ DATABASE_URL: database.url });
      expect(ok).toBe(true);
      expect(of('database')).toMatchObject({ status: 'ok', found: expect.stringMatching(/^Postgres \d+/) });
      expect(of('migrations')).toMatchObject({ status: 'ok' });
      expect(of('workers')).toMatchObject({
        status: 'warning',
        mend: expect.stringContaining('rendermill worker'),
      });
      expect(of('render modes')).toMatchObject({ status: 'ok', found: 'local (LAMBDA_FUNCTION is not set)' });
      expect(of('events')).toMatchObject({ status: 'ok', found: 'no sinks' });
    } finally {
      await database.drop();
    }
  });

  it('says how to mend a database without migrations', async () => {
    const database = await createTestDatabase('template0');
    try {
      const { ok, of } = await examine({ DATABASE_URL: database.url });
      expect(ok).toBe(false);
      expect(of('migrations')).toMatchObject({ status: 'missing', mend: 'Run rendermill migrate.' });
      expect(of('events')).toMatchObject({ status: 'unknown' });
    } finally {
      await database.drop();
    }
  });

  it('misses what is named and not there: browser, database, Redis, a folder to write to', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { ok, of } = await examine({
      BROWSER_EXECUTABLE: '/nowhere/chromium',
      DATABASE_URL: 'postgres://127.0.0.1:9/x',
      REDIS_URL: 'redis://127.0.0.1:9',
      STORAGE_DIRECTORY: join(file, 'storage'),
      MIN_FREE_DISK_MB: '999999999',
    });
    expect(ok).toBe(false);
    for (const name of ['browser', 'database', 'queue', 'storage', 'disk']) {
      expect(of(name)).toMatchObject({ status: 'missing', mend: expect.any(String) });
    }
  });

  it('refuses a Redis that may evict, and warns of one that keeps no file', async ({ skip }) => {
    if (inject('redisUrl') === null) return skip();
    const evicting = await startTestRedis(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
    try {
      const { of } = await examine({ REDIS_URL: evicting?.url ?? '' });
      expect(of('queue')).toMatchObject({ status: 'missing', found: expect.stringContaining('allkeys-lru') });
    } finally {
      await evicting?.remove();
    }
    const forgetful = await startTestRedis(['--appendonly', 'no']);
    try {
      const { of } = await examine({ REDIS_URL: forgetful?.url ?? '' });
      expect(of('queue')).toMatchObject({
        status: 'warning',
        mend: expect.stringContaining('appendonly yes'),
      });
    } finally {
      await forgetful?.remove();
    }
  });

  it('prints a line for each check, and how to mend it below', async () => {
    const { exitCode, out } = await runCommand(['doctor'], {
      RENDERMILL_HOME: folder,
      BROWSER_EXECUTABLE: '/nowhere/chromium',
    });
    expect(exitCode).toBe(1);
    expect(out.join('\n')).toMatch(/^ok {7}node .*\n[\s\S]*^missing {2}browser .*\n\s+→ /m);
  });
});

describe('render modes', () => {
  const settings = {
    RENDER_MODE: 'local',
    RENDER_FALLBACK: 'wait',
    LAMBDA_FUNCTION: 'f',
    UNSERVED_TIMEOUT_SECONDS: 3600,
  } as const;
  const organization = (id: string, render_modes: Record<string, boolean> = {}) => ({
    ...{ id, name: id, time_zone: 'UTC', tier_overrides: {}, render_modes },
    ...{ link_secret: Buffer.alloc(0), unknown_events: 'mark' as const, created_at: new Date(0) },
  });
  const some = [organization('acme', { lambda: true }), organization('globex')];
  const since = new Date('2026-03-10T12:00:00Z');
  const onLambda = [{ renderMode: 'lambda', exports: 17, since }] as const;
  const nowhere = [{ renderMode: 'local', exports: 2, since }] as const;

  it.each([
    ['names who may ask for Lambda', settings, [], some, 'ok', /lambda for acme$/, undefined],
    [
      'says how to allow it',
      settings,
      [],
      [organization('globex')],
      'ok',
      /nobody.*organizations allow ID/,
      undefined,
    ],
    [
      'names who can render nowhere',
      settings,
      [],
      [...some, organization('initech', { local: false })],
      'warning',
      /^all requests of initech are refused/,
      /organizations allow ID --render-mode local/,
    ],
    [
      'names who may use nothing but a Lambda that is not there',
      { ...settings, LAMBDA_FUNCTION: undefined },
      onLambda,
      [organization('initech', { local: false, lambda: true })],
      'warning',
      /17 export.*; all requests of initech are refused/,
      /3600 seconds.*Allow it one/,
    ],
    ['knows the default', { ...settings, RENDER_MODE: 'lambda' }, [], some, 'ok', /for everybody/, undefined],
    [
      'finds what waits, and says what becomes of it',
      settings,
      onLambda,
      some,
      'warning',
      /17 export.*lambda.*2026-03-10T12/,
      /LAMBDA_FUNCTION.*3600 seconds.*fail with render_mode_unserved\.$/,
    ],
    [
      'knows the fallback',
      { ...settings, RENDER_FALLBACK: 'local' },
      onLambda,
      some,
      'warning',
      /17/,
      /go to the workers/,
    ],
    [
      'knows that it never ends',
      { ...settings, UNSERVED_TIMEOUT_SECONDS: 0 },
      onLambda,
      some,
      'warning',
      /17/,
      /for ever/,
    ],
    [
      'wants workers',
      { ...settings, RENDER_FALLBACK: 'local' },
      nowhere,
      some,
      'warning',
      /2 export.*local/,
      /rendermill worker.*fail/,
    ],
  ] as const)('%s', (_what, given, stranded, organizations, status, found, mend) => {
    const check = judgeModes(given, stranded, organizations);
    expect(check).toMatchObject({ status, found: expect.stringMatching(found) });
    if (mend !== undefined) expect(check.mend).toMatch(mend);
  });
});

describe('events', () => {
  const sink = {
    sinkId: 's',
    kind: 'webhook',
    organizationId: null,
    status: 'enabled',
    statusReason: null,
    pending: 0,
    oldestSeconds: 0,
    delivered: 0,
    skipped: 0,
    failed: 0,
    dead: 4,
    deadNow: 0,
    latencyMs: 0,
    latencyBuckets: [],
    consecutiveFailures: 0,
    failingSince: null,
    openUntil: null,
    lastError: null,
    warnedHours: 0,
    disablesAt: null,
    missedFrom: null,
    missedUntil: null,
  };
  const none = { events: 0, seconds: 0 };

  it.each([
    ['a sink that is well, though something died once', sink, none, 'ok', '1 sink, all well', undefined],
    ['dead deliveries', { ...sink, deadNow: 2 }, none, 'warning', '2 deliveries dead', /events retry/],
    [
      'a sink that fails',
      { ...sink, failingSince: new Date() },
      none,
      'warning',
      'failing: s',
      /events sinks/,
    ],
    [
      'a disabled sink for which something waits',
      { ...sink, status: 'disabled', pending: 1 },
      none,
      'warning',
      'disabled while deliveries wait: s',
      /events sinks/,
    ],
    ['a disabled sink', { ...sink, status: 'disabled' }, none, 'ok', '1 sink, all well', undefined],
    ['a log read a moment ago', sink, { events: 9, seconds: 1 }, 'ok', '1 sink, all well', undefined],
    [
      'a log that nobody reads',
      sink,
      { events: 9, seconds: 600 },
      'warning',
      '9 not read by a dispatcher',
      /rendermill dispatcher/,
    ],
  ])('%s', (_what, one, lag, status, found, mend) => {
    const check = judgeEvents([one], lag);
    expect(check).toMatchObject({ status, found });
    if (mend) expect(check.mend).toMatch(mend);
  });
});

describe('an open transaction that holds up the log', () => {
  const waiting = { events: 9, seconds: 600 };
  const nothing = { events: 0, seconds: 0 };
  const holder = {
    seconds: 312.7,
    database: 'shop',
    user: 'etl',
    pid: 123,
    gid: null,
    application: 'nightly report',
    state: 'idle in transaction',
  };
  const prepared = { ...holder, pid: null, gid: "it's mine", application: null, state: 'prepared' };
  const named =
    'pid 123 (open for 312 s, database shop, user etl, application "nightly report", state idle in transaction)';

  it.each([
    ['long', waiting, holder, `${named}; 9 not read by a dispatcher`, /pg_terminate_backend\(123\)/],
    ['long, while nothing waits yet', nothing, holder, named, /pg_terminate_backend/],
    [
      'prepared',
      nothing,
      prepared,
      `prepared transaction "it's mine" (open for 312 s, database shop, user etl)`,
      /In the database shop: COMMIT PREPARED 'it''s mine' or ROLLBACK PREPARED/,
    ],
    [
      'of unknown age, while events wait',
      waiting,
      { ...holder, seconds: null, state: null },
      'pid 123 (open for a time not visible to this role,',
      /pg_terminate_backend\(123\).*GRANT pg_read_all_stats/,
    ],
  ])('is named where it is %s, with what ends it', (_what, lag, oldest, found, mend) => {
    const check = judgeEvents([], lag, oldest);
    expect(check).toMatchObject({ status: 'warning', found: expect.stringContaining(found) });
    expect(check.mend).toMatch(mend);
  });

  it.each([
    ['short', nothing, { ...holder, seconds: 59 }],
    ['of unknown age, while nothing waits', nothing, { ...holder, seconds: null }],
  ])('is none where it is %s', (_what, lag, oldest) =>
    expect(judgeEvents([], lag, oldest)).toMatchObject({ status: 'ok' }),
  );

  it('is not blamed where it is short: then a dispatcher is missing', () =>
    expect(judgeEvents([], waiting, { ...holder, seconds: 1 }).mend).toMatch(/rendermill dispatcher/));
});

describe('the machine', () => {
  it.each([
    ['18.20.0', 'missing'],
    ['20.18.3', 'missing'],
    ['20.19.0', 'ok'],
    ['21.7.0', 'missing'],
    ['22.11.0', 'missing'],
    ['22.12.0', 'ok'],
    ['24.0.0', 'ok'],
  ])('Node %s is %s', (version, status) => expect(checkNode(version).status).toBe(status));

  it('warns of a Linux without setpriv', async () => {
    expect(await checkSetpriv(folder, 'linux')).toMatchObject({
      status: 'warning',
      mend: expect.stringContaining('util-linux'),
    });
    expect(await checkSetpriv(folder, 'darwin')).toMatchObject({ status: 'ok' });
  });

  it.each([
    [[], 'warning'],
    [['Liberation Sans'], 'warning'],
    [['Liberation Sans', 'Noto Color Emoji'], 'ok'],
  ])('the fonts %j are %s', (families, status) => expect(judgeFonts(families).status).toBe(status));
});
