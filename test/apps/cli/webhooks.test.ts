import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSink, disableSink } from '../../../src/domain/deliveries/sinks.ts';
import { ensureWebhookSecret } from '../../../src/domain/deliveries/webhook-secrets.ts';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';
import { createOrganization, type OpenTestDatabase, openTestDatabase } from '../../support/factories.ts';
import { jsonOf, runCommand } from './run-command.ts';

let database: OpenTestDatabase;
let organization: string;
let receiver: Server;
let receiverUrl: string;
let status = 200;
const arrived: { body: string; headers: Record<string, string> }[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  organization = await createOrganization(database.db);
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      arrived.push({ body, headers: request.headers as Record<string, string> });
      response.writeHead(status).end('\u001b[31mseen');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  receiver.close();
  await database.close();
});

const run = (args: string[], environment: Record<string, string> = {}) =>
  runCommand(['webhooks', ...args], { DATABASE_URL: database.url, ...environment });
const ofOrganization = (...args: string[]) => run([...args, '--organization', organization, '--json']);
const url = 'https://hooks.example.com/in';

it('adds an endpoint, lists it, rotates its secret and removes it', async () => {
  const added = jsonOf(await ofOrganization('add', url, '--events', 'batch_*, video_rendered'));
  const id = String(added.id);
  expect(added).toMatchObject({ url, eventNames: ['batch_*', 'video_rendered'], status: 'enabled' });
  expect(jsonOf(await ofOrganization('secret', id))).toEqual({ secret: added.secret, olderSignUntil: null });

  const rotated = jsonOf(await ofOrganization('rotate', id, '--overlap-hours', '1.5'));
  expect(rotated).toEqual({ secret: expect.stringMatching(/^whsec_/), olderSignUntil: expect.any(String) });
  expect(rotated.secret).not.toBe(added.secret);
  expect(jsonOf(await ofOrganization('secret', id))).toEqual(rotated);

  const listed = await ofOrganization('list');
  expect(jsonOf(listed)).toMatchObject({ webhooks: [{ id, pending: 0, dead: 0 }] });
  expect(listed.out.join()).not.toContain('whsec_');
  const table = await run(['list', '--organization', organization]);
  expect(table.out.join('\n')).toMatch(new RegExp(`${id}.*batch_\\*,video_rendered`));

  expect(jsonOf(await ofOrganization('remove', id))).toEqual({ id, removed: true });
  expect(jsonOf(await ofOrganization('list'))).toEqual({ webhooks: [] });
});

it('sends a test message, and fails where it was not delivered', async () => {
  const allowed = { WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' };
  const added = jsonOf(await run(['add', receiverUrl, '--organization', organization, '--json'], allowed));
  const test = (...args: string[]) =>
    run(['test', String(added.id), '--organization', organization, ...args], allowed);
  const good = await test('--json');
  expect(good.exitCode).toBe(0);
  expect(jsonOf(good)).toMatchObject({ delivered: true, status: 200, error: null });
  const [one] = arrived;
  expect(new Webhook(String(added.secret)).verify(one?.body ?? '', one?.headers ?? {})).toMatchObject({
    type: 'webhook_test',
  });
  status = 500;
  const bad = await test();
  expect(bad.exitCode).toBe(1);
  expect(bad.out.join('\n')).toContain('The endpoint answered 500.');
  // What a stranger answers does not reach the terminal as it is.
  expect(bad.out.join('\n')).not.toContain('\u001b');
});

it('names the variable to set where a test message may not leave for a private address', async () => {
  const added = jsonOf(
    await run(['add', receiverUrl, '--organization', organization, '--json'], {
      WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true',
    }),
  );
  const refused = await run(['test', String(added.id), '--organization', organization]);
  expect(refused.exitCode).toBe(1);
  expect(refused.out.join('\n')).toMatch(/not lie at a public address.*WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true/);
});

it('warns of names that take nothing when they are added, and lists without looking for such', async () => {
  const added = await ofOrganization('add', url, '--events', 'vidoe_*,batch_*');
  expect(added.exitCode).toBe(0);
  const warning = /"vidoe_\*" is the beginning of no event .*takes nothing.*Did you mean video_rendered/;
  expect(added.err).toEqual([expect.stringMatching(warning)]);
  const listed = await run(['list', '--organization', organization]);
  expect(listed.err).toEqual([]);
});

it.each([
  [
    'a private address',
    ['add', 'http://127.0.0.1/'],
    /Nothing may be sent to this URL.*WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true/,
  ],
  ['a URL that no setting allows', ['add', 'ftp://127.0.0.1/'], /fragment\.$/],
  [
    "an organization's name for the installation's own",
    ['test', 'webhook'],
    /DOMAIN_EVENT_WEBHOOK_URL.*leave --organization out/,
  ],
  ['an event that never comes', ['add', url, '--events', 'video_render'], /Did you mean .*video_rendered/],
  ['no event at all', ['add', url, '--events', ' , '], /names no event/],
  ['an id of nobody', ['remove', 'webhook'], /no webhook "webhook"/],
])('refuses %s', async (_what, args, message) => {
  const refused = await run([...args, '--organization', organization]);
  expect(refused.exitCode).toBe(1);
  expect(refused.err.join('\n')).toMatch(message);
});

it('refuses an organization that is not there, and an overlap below nothing', async () => {
  const unknown = await run(['add', url, '--organization', 'nobody']);
  expect(unknown.err.join('\n')).toMatch(/organizations set nobody/);
  const negative = await run(['rotate', 'x', '--overlap-hours', '-1', '--organization', organization]);
  expect(negative.exitCode).toBe(2);
});

it('enables one that was disabled, and names the command that sends what it missed', async () => {
  const { id } = jsonOf(await ofOrganization('add', url));
  const { db } = database;
  await db.transaction().execute((tx) => disableSink(tx, String(id), 'It is gone.', new Date()));
  const enabled = await run(['enable', String(id), '--organization', organization]);
  expect(enabled.exitCode).toBe(0);
  const command = new RegExp(`rendermill events replay --sink ${id} --from \\S+Z --to \\S+Z --yes`);
  expect(enabled.out.join('\n')).toMatch(command);
  const replayed = jsonOf(await ofOrganization('enable', String(id), '--replay'));
  expect(replayed).toEqual({ id, waiting: 0, missed: null, resumed: { missed: 0, revived: 0 } });
});

it('encrypts the secrets, reads them with the key alone, and the doctor says so', async () => {
  const added = jsonOf(await ofOrganization('add', url));
  const key = { SECRETS_KEY: Buffer.alloc(32, 9).toString('base64') };
  const without = await run(['encrypt-secrets']);
  expect(without.exitCode).toBe(1);
  expect(without.err.join('\n')).toMatch(/openssl rand -base64 32/);
  expect(jsonOf(await run(['encrypt-secrets', '--json'], key))).toMatchObject({
    encrypted: expect.any(Number),
  });
  const shown = ['secret', String(added.id), '--organization', organization, '--json'];
  expect(jsonOf(await run(shown, key))).toMatchObject({ secret: added.secret });
  const other = { SECRETS_KEY: Buffer.alloc(32, 8).toString('base64') };
  const refused = await run(shown, other);
  expect(refused.err.join('\n')).toMatch(/encrypted with the key [0-9a-f]{12}, and SECRETS_KEY is/);
  const doctor = async (environment: Record<string, string>) =>
    (
      jsonOf(
        await runCommand(['doctor', '--json'], { DATABASE_URL: database.url, ...environment }),
      ) as unknown as {
        checks: { name: string }[];
      }
    ).checks.find(({ name }) => name === 'secrets');
  expect(await doctor(key)).toMatchObject({ status: 'ok' });
  expect(await doctor(other)).toMatchObject({
    status: 'missing',
    mend: expect.stringContaining('SECRETS_KEY'),
  });
  await database.db.deleteFrom('webhook_secret').execute();
});

it('sends a test to the environment’s endpoint, once a dispatcher has made its secret', async () => {
  const own = { DOMAIN_EVENT_WEBHOOK_URL: receiverUrl };
  const early = await run(['test', 'webhook'], own);
  expect(early.exitCode).toBe(1);
  expect(early.err.join('\n')).toMatch(/No dispatcher has run with DOMAIN_EVENT_WEBHOOK_URL/);
  const secret = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
  await database.db.transaction().execute(async (tx) => {
    await createSink(tx, { id: 'webhook', kind: 'webhook', organizationId: null, shards: 1 }, new Date());
    await ensureWebhookSecret(tx, createSecretBox(), 'webhook', secret, new Date());
  });
  status = 204;
  arrived.length = 0;
  const sent = await run(['test', 'webhook', '--json'], own);
  expect(jsonOf(sent)).toMatchObject({ delivered: true, status: 204 });
  const [one] = arrived;
  expect(new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {})).toMatchObject({
    type: 'webhook_test',
  });
  const unset = await run(['test', 'webhook']);
  expect(unset.err.join('\n')).toMatch(/DOMAIN_EVENT_WEBHOOK_URL is not set here/);
  await database.db.deleteFrom('webhook_secret').execute();
  await database.db.deleteFrom('delivery_shard').where('sink_id', '=', 'webhook').execute();
  await database.db.deleteFrom('event_sink').where('id', '=', 'webhook').execute();
});

it('shows the secret of the environment’s endpoint, and no other without its organization', async () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const now = new Date();
  await database.db.transaction().execute(async (tx) => {
    await createSink(tx, { id: 'webhook', kind: 'webhook', organizationId: null, shards: 1 }, now);
    await ensureWebhookSecret(tx, createSecretBox(), 'webhook', secret, now);
  });
  expect((await run(['secret', 'webhook'])).out).toEqual([secret]);
  const other = await run(['secret', '00000000-0000-4000-8000-000000000000']);
  expect(other.exitCode).toBe(1);
  expect(other.err.join('\n')).toMatch(/--organization/);
});
