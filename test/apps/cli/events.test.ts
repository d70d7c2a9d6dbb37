import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pastTime } from '../../../src/apps/cli/past-time.ts';
import type { Verdict } from '../../../src/core/delivery/outcomes.ts';
import { ensureOrganization } from '../../../src/domain/accounts/organizations.ts';
import {
  addSink,
  deliveriesTo,
  dispatcherOf,
  scriptedSink,
  type Written,
  writeEvents,
} from '../../features/delivery/delivery-scene.ts';
import { openTestDatabase } from '../../support/factories.ts';
import { jsonOf, runCommand, startCommand } from './run-command.ts';

const database = await openTestDatabase();
const { db } = database;
/** Of an event that nobody has sent. */
const noEvent = '0193f2ab-1111-7222-8333-444455556666';
const clock = { now: () => new Date() };
const events = (...args: string[]) => runCommand(['events', ...args], { DATABASE_URL: database.url });
const json = async (...args: string[]) => jsonOf(await events(...args, '--json'));

beforeAll(() =>
  db.transaction().execute(async (tx) => {
    await ensureOrganization(tx, { id: 'acme' });
    await ensureOrganization(tx, { id: 'globex' });
  }),
);
afterAll(database.close);
beforeEach(async () => {
  await sql`TRUNCATE event_delivery, delivery_shard, webhook_secret, event_sink, domain_event, domain_event_key CASCADE`.execute(
    db,
  );
});

const happen = async (given: Written = {}, organization = 'acme'): Promise<string> =>
  (await writeEvents(db, organization, [given], clock.now()))[0] ?? '';

const dispatch = async (say: () => Verdict | undefined = () => undefined): Promise<void> => {
  const dispatcher = await dispatcherOf(database, { s: scriptedSink({ say }) }, clock);
  await dispatcher.drain();
  await dispatcher.close();
};
const refuse = (): Verdict => ({
  type: 'refused',
  error: 'HTTP 400',
  status: 400,
  response: 'no \u001b[31m\u009b thanks',
  final: true,
});
const sinkAndDead = async (count: number): Promise<string[]> => {
  await addSink(db, { id: 's' }, clock.now());
  const ids = await writeEvents(db, 'acme', new Array(count).fill({ name: 'refused_one' }), clock.now());
  await dispatch(refuse);
  return ids;
};

describe('events show', () => {
  it('tells everything of an event: envelope, what was sent and derived, consent, and every attempt', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const id = await happen({
      name: 'shown',
      userId: 'u-1',
      distinctId: 'v-1',
      entity: 'e-1',
      properties: { price: 7, text: 'a\u009bb' },
    });
    await sql`INSERT INTO person_consent (organization_id, person_kind, person_id, ads_allowed, ads_stated_at)
      VALUES ('acme', 'user', 'u-1', false, now())`.execute(db);
    expect((await events('show', id)).out.join()).toContain('The dispatcher has not read it yet.');
    await dispatch(refuse);
    const { out, exitCode } = await events('show', id);
    const text = out.join('\n');
    expect(exitCode).toBe(0);
    for (const part of [
      `shown  ${id}  (nobody has defined it)`,
      '  organization  acme\n',
      '  user          u-1\n',
      '  visitor       v-1\n',
      '  entity        thing:e-1\n',
      '  consent       ads refused, analytics never asked',
      '"price": 7',
      '  console s  dead: "HTTP 400"',
      '  400  refused  "HTTP 400"  answered "no \\u001b[31m\\u009b thanks"',
    ])
      expect(text).toContain(part);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not reach the terminal
    expect(text).not.toMatch(/[\u001b\u009b]/);
    expect(await json('show', id)).toMatchObject({
      id,
      organizationId: 'acme',
      consent: { adsAllowed: false, analyticsAllowed: null },
      deliveries: [{ sinkId: 's', state: 'dead', attemptLog: [{ status: 400, outcome: 'refused' }] }],
    });
  });

  it('asks whose it is where several organizations have that id', async () => {
    const id = randomUUID();
    await happen({ id });
    await happen({ id }, 'globex');
    const { exitCode, err } = await events('show', id);
    expect(exitCode).toBe(1);
    expect(err.join()).toMatch(/Several organizations .*acme, globex.*--organization/);
    expect(await json('show', id, '--organization', 'globex')).toMatchObject({ organizationId: 'globex' });
  });

  it.each([
    [[noEvent], /There is no event/],
    [['nonsense'], /There is no event "nonsense"/],
    [[noEvent, '--organization', 'nobody'], /There is no organization "nobody"/],
  ])('%j: says what there is not', async (args, message) => {
    const { exitCode, err } = await events('show', ...args);
    expect(exitCode).toBe(1);
    expect(err.join()).toMatch(message);
  });
});

describe('events list', () => {
  it('shows events of an organization, by name and time', async () => {
    const id = await happen({ name: 'wanted', userId: 'u-1' });
    await happen({ name: 'other' });
    await happen({ name: 'wanted' }, 'globex');
    expect((await json('list', '--organization', 'acme', '--name', 'wanted')).events).toEqual([
      expect.objectContaining({ id }),
    ]);
    expect((await json('list', '--organization', 'acme', '--to', '1h')).events).toEqual([]);
    const { out, err } = await events('list', '--organization', 'acme', '--from', '1h', '--limit', '1');
    expect(out).toHaveLength(1);
    expect(err.join()).toContain('There are more');
  });
});

describe('a name by which nothing is found', () => {
  const list = (name: string) => events('list', '--organization', 'acme', '--name', name);

  it.each([
    ['vidoe_rendered', /^vidoe_rendered is no event of the catalog, .* Did you mean video_rendered/],
    ['login_succeeded', undefined],
    ['user_login_succeeded', /^user_login_succeeded is recorded as login_success: --name login_success\.$/],
    ['video_*', /^--name takes a whole name, without a star\./],
    ['nosuch_thing_at_all', /^nosuch_thing_at_all is no event of the catalog/],
    ['a\u009bb', /^"a\\u009bb" is no event/],
    ['video_rendered', null],
  ])('%s: has a hint, and changes no exit code', async (name, hint) => {
    const { exitCode, out, err } = await list(name);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: [] });
    if (hint === null) expect(err).toEqual([]);
    else expect(err).toEqual([hint === undefined ? expect.any(String) : expect.stringMatching(hint)]);
  });

  it('is no mistake where the organization has sent or defined it', async () => {
    await happen({ name: 'sent_before' });
    const never = await events('list', '--organization', 'acme', '--name', 'sent_before', '--to', '1d');
    expect(never).toMatchObject({ out: [], err: [] });
    expect((await list('sent_befor')).err.join()).toMatch(/Did you mean sent_before/);
    expect((await events('list', '--organization', 'globex', '--name', 'sent_before')).err).toHaveLength(1);
  });
});

describe('the log of the installation itself', () => {
  const own = ['--organization', '_installation'] as const;

  it('is read and repaired by every command that takes an organization', async () => {
    await addSink(db, { id: 's' }, clock.now());
    expect(await events('list', ...own)).toMatchObject({ exitCode: 0, out: [], err: ['No events.'] });
    const id = await happen({ name: 'webhook_endpoint_failing' }, '_installation');
    expect((await json('list', ...own)).events).toEqual([expect.objectContaining({ id })]);
    expect((await events('list', ...own)).out.join()).toContain('webhook_endpoint_failing');
    expect(await json('show', id, ...own)).toMatchObject({ id, organizationId: '_installation' });
    await dispatch(refuse);
    expect((await json('dead', ...own)).deliveries).toMatchObject([{ eventId: id }]);
    expect(await json('retry', id, ...own)).toEqual({ retried: 1 });
    expect((await json('pending', ...own)).deliveries).toMatchObject([{ eventId: id }]);
    expect((await events('skip', id, '--sink', 's', ...own)).exitCode).toBe(0);
    expect(await json('replay', '--sink', 's', '--from', '1h', ...own, '--yes')).toMatchObject({ made: 1 });
  });

  it('can be followed, unlike that of an organization that is not there', async () => {
    const id = await happen({ name: 'webhook_endpoint_failing' }, '_installation');
    const tail = startCommand(['events', 'tail', '--since-start', '--json', ...own], {
      DATABASE_URL: database.url,
    });
    await expect.poll(() => tail.out.join('\n')).toContain(id);
    await tail.stop();
    expect((await tail.result).exitCode).toBe(0);
    const { exitCode, err } = await events('tail', '--organization', 'nobody');
    expect(exitCode).toBe(1);
    expect(err.join()).toMatch(/There is no organization "nobody"/);
  });
});

describe('events pending and dead', () => {
  it('list what waits and what was given up, with the reason', async () => {
    const [id] = await sinkAndDead(1);
    await happen({ name: 'waiting' });
    const dispatcher = await dispatcherOf(database, {}, clock);
    await dispatcher.drain();
    await dispatcher.close();
    expect((await events('dead')).out.join('\n')).toMatch(
      new RegExp(`${id}  refused_one  acme {10}s {5}1 {9}\\d{4}-.*Z  "HTTP 400"`),
    );
    expect((await json('dead', '--sink', 's', '--organization', 'acme')).deliveries).toHaveLength(1);
    expect((await json('dead', '--organization', 'globex')).deliveries).toEqual([]);
    expect(await json('pending')).toMatchObject({ deliveries: [{ event: 'waiting', state: 'pending' }] });
    expect((await events('pending', '--organization', 'globex')).out).toEqual(['Nothing is pending.']);
  });

  it('say that there are more than were asked for', async () => {
    await sinkAndDead(3);
    const { out, err } = await events('dead', '--limit', '2');
    expect(out.join('\n').split('\n')).toHaveLength(3);
    expect(err.join()).toContain('There are more');
  });

  it.each([
    [['dead', '--sink', 'nothing'], 1, /There is no sink "nothing"; there are: none/],
    [['pending', '--organization', 'nobody'], 1, /There is no organization "nobody"/],
    [['pending', '--limit', '0'], 2, /whole number from 1/],
  ])('%j: says what is wrong', async (args, code, message) => {
    const { exitCode, err } = await events(...args);
    expect({ exitCode, err: err.join() }).toEqual({ exitCode: code, err: expect.stringMatching(message) });
  });
});

describe('events retry', () => {
  const states = async () => (await deliveriesTo(db, 's')).map((row) => row.state);

  it('tries one event, a sink, or everything again, and says how many', async () => {
    const [first = ''] = await sinkAndDead(3);
    expect((await events('retry', first)).out).toEqual(['Trying 1 delivery again.']);
    expect(await states()).toEqual(['pending', 'dead', 'dead']);
    expect(await json('retry', '--sink', 's', '--organization', 'globex')).toEqual({ retried: 0 });
    expect((await events('retry', '--sink', 's')).out).toEqual(['Trying 2 deliveries again.']);
    expect((await events('retry', '--all')).out).toEqual(['Nothing was dead.']);
    expect(await states()).toEqual(['pending', 'pending', 'pending']);
  });

  it.each([
    [[], /Name an event, --sink <id>, or --all/],
    [['--organization', 'acme'], /Name an event/],
    [[noEvent, '--all'], /--all stands alone/],
    [[noEvent], /There is no event/],
    [['--sink', 'nothing'], /There is no sink "nothing"/],
  ])('%j: does nothing and says why', async (args, message) => {
    await sinkAndDead(1);
    const { exitCode, err } = await events('retry', ...args);
    expect(exitCode).toBe(1);
    expect(err.join()).toMatch(message);
    expect(await states()).toEqual(['dead']);
  });
});

describe('events replay', () => {
  it('says how many it would send, and sends them when told to', async () => {
    await addSink(db, { id: 's' }, clock.now());
    await happen();
    await happen({}, 'globex');
    await dispatch();
    const asked = await events('replay', '--sink', 's', '--from', '1h');
    expect(asked).toMatchObject({
      exitCode: 1,
      out: ['2 events would be sent to s again: add --yes.'],
    });
    expect(
      (await events('replay', '--sink', 's', '--from', '1h', '--organization', 'acme', '--yes')).out,
    ).toEqual(['Sending 1 event again.']);
    const second = await events('replay', '--sink', 's', '--from', '1h', '--yes');
    expect(second).toMatchObject({
      exitCode: 0,
      out: ['Sending 1 of 2 events again; the others are on their way already.'],
    });
    expect(await json('replay', '--sink', 's', '--from', '2h', '--to', '1h', '--yes')).toEqual({
      events: 0,
      made: 0,
    });
  });

  it.each([
    [['--sink', 's', '--from', 'yesterday'], 2, /Expected a time such as/],
    [['--sink', 's', '--from', '1h', '--to', '2h'], 1, /must lie before --to/],
    [['--sink', 'nothing', '--from', '1h'], 1, /There is no sink "nothing"; there are: s/],
    [['--sink', 's'], 2, /--from/],
    [['--from', '1h'], 2, /--sink/],
  ])('%j: says what is wrong', async (args, code, message) => {
    await addSink(db, { id: 's' }, clock.now());
    const { exitCode, err } = await events('replay', ...args);
    expect({ exitCode, err: err.join() }).toEqual({ exitCode: code, err: expect.stringMatching(message) });
  });

  it('to a sink that was removed says so', async () => {
    await addSink(db, { id: 's' }, clock.now());
    await sql`UPDATE event_sink SET status = 'removed'`.execute(db);
    const { exitCode, err } = await events('replay', '--sink', 's', '--from', '1h');
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: ['rendermill: The sink "s" was removed.'] });
  });
});

describe('events sinks', () => {
  it('has a line for each: how it is, what waits, what became of the rest', async () => {
    expect((await events('sinks')).out.join()).toMatch(/^There are no sinks/);
    await sinkAndDead(2);
    await happen();
    await dispatch(() => ({ type: 'unavailable', error: 'HTTP 503', retryAfterMs: 600_000 }));
    const { out } = await events('sinks');
    expect(out.join('\n').split('\n')[1]).toMatch(
      /^s {5}console {2}all {11}enabled {2}open, 10 m {2}1 {8}\d+ s {5}0 {10}0 {8}3 {7}2 {5}"HTTP 503"$/,
    );
    expect(await json('sinks')).toMatchObject({
      sinks: [{ sinkId: 's', breaker: 'open', pending: 1, dead: 2, deadNow: 2, lastError: 'HTTP 503' }],
    });
    await events('retry', '--all');
    expect(await json('sinks')).toMatchObject({ sinks: [{ dead: 2, deadNow: 0, pending: 3 }] });
  });
});

describe('a time', () => {
  const now = new Date('2026-03-10T12:00:00Z');

  it.each([
    ['2026-03-09', '2026-03-09T00:00:00.000Z'],
    ['2026-03-09T10:00:00+02:00', '2026-03-09T08:00:00.000Z'],
    ['2026-03-09T10:00:00.5Z', '2026-03-09T10:00:00.500Z'],
    ['30m', '2026-03-10T11:30:00.000Z'],
    ['2h', '2026-03-10T10:00:00.000Z'],
    ['3d', '2026-03-07T12:00:00.000Z'],
  ])('%s is understood', (text, expected) => expect(pastTime(text, now).toISOString()).toBe(expected));

  it.each(['', 'yesterday', '2026-02-30', '2026-03-09T10:00:00', '-2h', '2w', '999999d', '1741608000'])(
    '"%s" is refused',
    (text) => expect(() => pastTime(text, now)).toThrow(/Expected a time such as/),
  );
});
