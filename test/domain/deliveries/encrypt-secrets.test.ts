import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import {
  assertSecretsReadable,
  encryptSecrets,
  keysInUse,
} from '../../../src/domain/deliveries/encrypt-secrets.ts';
import { createSink } from '../../../src/domain/deliveries/sinks.ts';
import {
  createWebhookSecret,
  ensureWebhookSecret,
  formatWebhookSecret,
  loadWebhookSecrets,
  rotateWebhookSecret,
} from '../../../src/domain/deliveries/webhook-secrets.ts';
import { createSecretBox, type SecretBox } from '../../../src/platform/secrets/secret-box.ts';
import { createTestClock, type OpenTestDatabase, openTestDatabase, times } from '../../support/factories.ts';

const keyOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const plain = createSecretBox();
const one = createSecretBox({ key: keyOf(1) });
const two = createSecretBox({ key: keyOf(2) });
const oneThenTwo = createSecretBox({ key: keyOf(2), olderKey: keyOf(1) });
const clock = createTestClock();

let database: OpenTestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('webhook_secret').execute();
});

const addSink = async (): Promise<string> => {
  const sink = { id: newId(), kind: 'webhook', organizationId: null, shards: 1 };
  await database.db.transaction().execute((tx) => createSink(tx, sink, clock.now()));
  return sink.id;
};
const create = (box: SecretBox, sinkId: string) =>
  database.db.transaction().execute((tx) => createWebhookSecret(tx, box, sinkId, clock.now()));
const load = async (box: SecretBox, sinkId: string) =>
  (await loadWebhookSecrets(database.db, box, sinkId, clock.now())).map(({ key }) => key);
const stored = async () =>
  (await database.db.selectFrom('webhook_secret').select('secret').execute()).map(({ secret }) => secret);
const encrypt = (box: SecretBox) => encryptSecrets(database.db, box, clock.now());

describe('secrets', () => {
  test('are written encrypted where there is a key, and read with it alone', async () => {
    const sinkId = await addSink();
    const key = await create(one, sinkId);
    expect((await stored()).some((bytes) => bytes.includes(key))).toBe(false);
    expect(await load(one, sinkId)).toEqual([key]);
    await expect(load(two, sinkId)).rejects.toMatchObject({ code: 'secrets_key_wrong' });
    await expect(load(plain, sinkId)).rejects.toMatchObject({ code: 'secrets_key_wrong' });
  });

  test('that lie there as they are, are read and then encrypted, all of them, once', async () => {
    const sinks = await Promise.all(times(3, addSink));
    const keys = await Promise.all(sinks.map((sinkId) => create(plain, sinkId)));
    expect(await load(one, sinks[0] ?? '')).toEqual([keys[0]]);
    const done = await Promise.all([encrypt(one), encrypt(one)]);
    expect(done[0] + done[1]).toBe(3);
    expect(await encrypt(one)).toBe(0);
    expect(await keysInUse(database.db, clock.now())).toEqual([{ keyId: one.keyId, secrets: 3 }]);
    for (const [n, sinkId] of sinks.entries()) expect(await load(one, sinkId)).toEqual([keys[n]]);
    for (const bytes of await stored()) for (const key of keys) expect(bytes.includes(key)).toBe(false);
  });

  test('change to another key, with the old one beside it until then', async () => {
    const sinkId = await addSink();
    const key = await create(one, sinkId);
    await expect(encrypt(two)).rejects.toMatchObject({ code: 'secrets_key_wrong' });
    expect(await encrypt(oneThenTwo)).toBe(1);
    expect(await load(two, sinkId)).toEqual([key]);
    await expect(load(one, sinkId)).rejects.toMatchObject({ code: 'secrets_key_wrong' });
  });

  test('of another endpoint do not open: a row that was copied signs nothing', async () => {
    const [from, to] = [await addSink(), await addSink()];
    await create(one, from);
    await database.db.updateTable('webhook_secret').set({ sink_id: to }).execute();
    await expect(load(one, to)).rejects.toThrow(/belongs to another row/);
  });

  test('whose key is lost stop the start with what to do, until the endpoint has a new one', async () => {
    const sinkId = await addSink();
    await create(one, sinkId);
    const assertReadable = () => assertSecretsReadable(database.db, two, clock.now());
    await expect(assertReadable()).rejects.toThrow(
      `A webhook secret is encrypted with the key ${one.keyId}, and SECRETS_KEY is ${two.keyId}.`,
    );
    await database.db
      .transaction()
      .execute((tx) => rotateWebhookSecret(tx, two, sinkId, clock.now(), clock.now()));
    await assertReadable();
    expect(await load(two, sinkId)).toHaveLength(1);
  });

  test('of the environment are found again where they are encrypted', async () => {
    const sinkId = await addSink();
    const named = formatWebhookSecret(Buffer.alloc(32, 7));
    const ensure = () =>
      database.db.transaction().execute((tx) => ensureWebhookSecret(tx, one, sinkId, named, clock.now()));
    await ensure();
    await ensure();
    expect(await stored()).toHaveLength(1);
  });

  test('are not encrypted without a key, which says how to make one', async () => {
    await expect(encrypt(plain)).rejects.toThrow(/openssl rand -base64 32/);
  });
});
