import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticate } from '../../../src/domain/accounts/api-keys.ts';
import { emit } from '../../../src/domain/events/emit.ts';
import { type DatabaseClient, openDatabase } from '../../../src/platform/db/client.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { jsonOf, runCommand, startCommand } from './run-command.ts';

let database: TestDatabase;
let client: DatabaseClient;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  environment = { DATABASE_URL: database.url };
  client = openDatabase({ url: database.url, log: createLogger({ level: 'silent' }) });
});
afterAll(async () => {
  await client.close();
  await database.drop();
});

const keys = (...args: string[]) =>
  runCommand(['keys', ...args, '--organization', 'acme', '--json'], environment);

describe('organizations', () => {
  const set = (...args: string[]) =>
    runCommand(['organizations', 'set', 'globex', '--json', ...args], environment);

  it('are made at first sight, changed in part, and listed', async () => {
    expect(jsonOf(await set('--time-zone', 'Asia/Tokyo'))).toEqual({
      id: 'globex',
      name: 'globex',
      timeZone: 'Asia/Tokyo',
      tiers: {},
      renderModes: {},
      unknownEvents: 'mark',
    });
    const tiers = { free: { dailyExports: 5, concurrentRenders: 2, retentionDays: 7 } };
    expect(jsonOf(await set('--name', 'Globex', '--tiers', JSON.stringify(tiers)))).toEqual({
      id: 'globex',
      name: 'Globex',
      timeZone: 'Asia/Tokyo',
      tiers,
      renderModes: {},
      unknownEvents: 'mark',
    });
    const list = jsonOf(await runCommand(['organizations', 'list', '--json'], environment));
    expect(list.organizations).toContainEqual({
      id: 'globex',
      name: 'Globex',
      timeZone: 'Asia/Tokyo',
      tiers,
      renderModes: {},
      unknownEvents: 'mark',
    });
  });

  it('are allowed a mode, and lose it again, which other changes leave as it is', async () => {
    const decide = (what: string, ...args: string[]) =>
      runCommand(['organizations', what, 'globex', ...args], environment);
    await set();
    const lambda = ['--render-mode', 'lambda'];
    expect(jsonOf(await decide('allow', ...lambda, '--json'))).toMatchObject({
      renderModes: { lambda: true },
    });
    expect(jsonOf(await set('--name', 'Globex'))).toMatchObject({ renderModes: { lambda: true } });
    const list = await runCommand(['organizations', 'list'], environment);
    expect(list.out.join('\n')).toMatch(/globex .*lambda/);
    expect((await decide('forbid', ...lambda)).out.join('\n')).toMatch(/not lambda/);
    expect(jsonOf(await decide('forbid', '--render-mode', 'local', '--json'))).toMatchObject({
      renderModes: { lambda: false, local: false },
    });
    expect((await decide('allow', '--render-mode', 'local')).err).toEqual([]);
    expect((await decide('allow')).err.join('\n')).toContain('--render-mode');
    expect((await decide('allow', '--render-mode', 'gpu')).err.join('\n')).toContain('local, lambda');
    await client.db
      .updateTable('organization')
      .set({ render_modes: '{}' })
      .where('id', '=', 'globex')
      .execute();
  });

  it('that can render nowhere any more are warned of, beside what is printed', async () => {
    const decide = async (what: string, mode: string, more: Record<string, string> = {}) => {
      const args = ['organizations', what, 'globex', '--render-mode', mode, '--json'];
      const done = await runCommand(args, { ...environment, ...more });
      expect(done.exitCode).toBe(0);
      expect(jsonOf(done)).toMatchObject({ id: 'globex' });
      return done.err.join('\n');
    };
    const withLambda = {
      LAMBDA_FUNCTION: 'remotion-render-4-0-527-mem2048mb-disk2048mb-120sec',
      LAMBDA_BUCKET: 'remotionlambda-b',
    };
    await set();
    expect(await decide('forbid', 'lambda')).toBe('');
    // Nobody has allowed it Lambda, so the workers were all it had.
    expect(await decide('forbid', 'local')).toMatch(
      /"globex" can render nowhere now: it may use no mode.*organizations allow globex --render-mode local/,
    );
    expect(await decide('allow', 'lambda', withLambda)).toBe('');
    expect(await decide('forbid', 'local')).toMatch(/it may use lambda only, and LAMBDA_FUNCTION is not set/);
    expect(await decide('allow', 'local')).toBe('');
    await client.db
      .updateTable('organization')
      .set({ render_modes: '{}' })
      .where('id', '=', 'globex')
      .execute();
  });

  it('that nobody has made are allowed nothing: the name may be misspelt', async () => {
    const args = ['organizations', 'allow', 'globax', '--render-mode', 'lambda'];
    const { exitCode, err } = await runCommand(args, environment);
    expect(exitCode).toBe(1);
    expect(err.join('\n')).toContain('There is no organization "globax"');
  });

  it('mark unknown events until they are told to refuse them, which other changes leave as it is', async () => {
    expect(jsonOf(await set('--unknown-events', 'refuse'))).toMatchObject({ unknownEvents: 'refuse' });
    expect(jsonOf(await set('--name', 'Globex'))).toMatchObject({ unknownEvents: 'refuse' });
    const third = await set('--unknown-events', 'drop');
    expect(third.exitCode).toBe(2);
    expect(third.err.join('\n')).toContain('Allowed choices are mark, refuse');
    expect(jsonOf(await set('--unknown-events', 'mark'))).toMatchObject({ unknownEvents: 'mark' });
  });

  it.each([
    ['a time zone that does not exist', ['--time-zone', 'Mars/Olympus'], /not a time zone/],
    ['a tier that does not exist', ['--tiers', '{"gold":{}}'], /--tiers/],
    ['a limit below zero', ['--tiers', '{"free":{"dailyExports":-1}}'], /free\.dailyExports/],
  ])('refuse %s and keep what they have', async (_what, args, message) => {
    const before = jsonOf(await set());
    const refused = await set(...args);
    expect(refused.exitCode).toBe(1);
    expect(refused.err.join('\n')).toMatch(message);
    expect(jsonOf(await set())).toEqual(before);
  });
});

describe('keys', () => {
  it('creates one that is valid until it is revoked, and lists both states without the secret', async () => {
    const created = jsonOf(await keys('create', '--name', 'backend'));
    expect(created).toMatchObject({ organization: 'acme', kind: 'secret', name: 'backend', created: true });
    const authorization = `Bearer ${created.key}`;
    expect(await authenticate(client.db, authorization)).toMatchObject({
      organizationId: 'acme',
      keyId: created.id,
    });

    const list = await keys('list');
    expect(jsonOf(list)).toMatchObject({ keys: [{ id: created.id, name: 'backend', revokedAt: null }] });
    expect(list.out.join()).not.toContain(String(created.key));

    expect(jsonOf(await keys('revoke', String(created.id)))).toEqual({ id: created.id, revoked: true });
    await expect(authenticate(client.db, authorization)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(jsonOf(await keys('list'))).toMatchObject({ keys: [{ revokedAt: expect.any(String) }] });
  });

  it('creates one of a name --once', async () => {
    await keys('create', '--name', 'of another name');
    const first = jsonOf(await keys('create', '--name', 'setup', '--once'));
    const second = jsonOf(await keys('create', '--name', 'setup', '--once'));
    expect(first).toMatchObject({ created: true });
    expect(second).toEqual({
      id: first.id,
      organization: 'acme',
      kind: 'secret',
      name: 'setup',
      created: false,
    });
    await keys('revoke', String(first.id));
    expect(jsonOf(await keys('create', '--name', 'setup', '--once'))).toMatchObject({ created: true });
  });

  it('says that a key is revoked already', async () => {
    const { id } = jsonOf(await keys('create', '--name', 'short-lived'));
    await keys('revoke', String(id));
    const { exitCode, err } = await keys('revoke', String(id));
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: [`rendermill: Key ${id} is revoked already.`] });
  });

  it.each(['list', 'bundle'])('%s says how an organization that is missing is made', async (command) => {
    const args = command === 'list' ? ['keys', 'list'] : ['bundle', '.'];
    const { exitCode, err } = await runCommand([...args, '--organization', 'nobody'], environment);
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: [
        'rendermill: There is no organization "nobody". Make it with: rendermill organizations set nobody',
      ],
    });
  });

  it.each([
    ['keys create', ['keys', 'create', '--organization', 'Bad_Org!']],
    ['organizations set', ['organizations', 'set', 'Bad_Org!']],
  ])('%s says which ids an organization can have', async (_name, args) => {
    const { exitCode, err } = await runCommand(args, environment);
    expect(exitCode).toBe(1);
    expect(err.join()).toMatch(
      /^rendermill: "Bad_Org!" cannot be the id.*lower-case letters, digits, - and _/,
    );
  });

  it('says which key there is not', async () => {
    const { exitCode, err } = await keys('revoke', 'nonsense');
    expect({ exitCode, err: err.join() }).toEqual({
      exitCode: 1,
      err: 'rendermill: Organization "acme" has no key nonsense.',
    });
  });
});

describe('migrate', () => {
  it('brings an empty database up, once, and names its environment', async () => {
    const empty = await createTestDatabase('template0');
    try {
      const given = { DATABASE_URL: empty.url, ENVIRONMENT: 'staging' };
      const refused = await runCommand(['organizations', 'list'], given);
      expect(refused).toMatchObject({
        exitCode: 1,
        err: [expect.stringMatching(/lacks 0001-foundation.*rendermill migrate/)],
      });
      expect(jsonOf(await runCommand(['migrate', '--json'], given)).applied).toContain('0001-foundation');
      expect(jsonOf(await runCommand(['migrate', '--json'], given))).toEqual({ applied: [] });
      expect((await runCommand(['organizations', 'list'], given)).exitCode).toBe(0);
    } finally {
      await empty.drop();
    }
  });
});

describe('events tail', () => {
  const happen = (organizationId: string, compositionId: string) =>
    client.db.transaction().execute((tx) =>
      emit(tx, {
        name: 'first_render_completed',
        organizationId,
        source: 'server',
        userId: 'u-1',
        entity: { type: 'export', id: 'e-1' },
        occurredAt: new Date(),
        properties: {
          compositionId,
          format: 'png',
          timestamp: new Date().toISOString(),
          exportId: 'e-1',
          projectId: 'p-1',
          renderMode: 'local',
        },
      }),
    );
  const printed = async (out: readonly string[], count: number) => {
    await expect.poll(() => out.length, { timeout: 10_000 }).toBe(count);
    return out.map((line) => JSON.parse(line));
  };

  it('prints what comes, of one organization, until it is stopped', async () => {
    await runCommand(['keys', 'create', '--organization', 'other'], environment);
    await happen('acme', 'before');
    const tail = startCommand(['events', 'tail', '--organization', 'acme', '--json'], environment);
    const first = await afterStart(tail.out, () => happen('acme', 'now'));
    expect(first).toMatchObject({
      event: 'first_render_completed',
      organizationId: 'acme',
      properties: { compositionId: 'now' },
    });
    await happen('other', 'of someone else');
    await tail.stop();
    expect((await tail.result).exitCode).toBe(0);
    expect(new Set(tail.out.map((line) => JSON.parse(line).organizationId))).toEqual(new Set(['acme']));
  });

  it('prints the log from its start, a line for each event', async () => {
    const whole = startCommand(
      ['events', 'tail', '--since-start', '--organization', 'other', '--json'],
      environment,
    );
    expect(await printed(whole.out, 1)).toMatchObject([{ properties: { compositionId: 'of someone else' } }]);
    await whole.stop();
    const lines = startCommand(['events', 'tail', '--since-start', '--organization', 'other'], environment);
    await expect.poll(() => lines.out.length, { timeout: 10_000 }).toBe(1);
    await lines.stop();
    expect(lines.out[0]).toMatch(
      /^\d{4}-.*Z {2}other {2}first_render_completed {2}u-1 {2}export:e-1 {2}compositionId="of someone else"/,
    );
  });

  /** The tail begins at some moment after its start: it happens again until the tail tells of it. */
  const afterStart = async (out: readonly string[], again: () => Promise<unknown>) => {
    await expect
      .poll(
        async () => {
          if (out.length === 0) await again();
          return out.length;
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBeGreaterThan(0);
    return JSON.parse(out[0] ?? '');
  };
});
