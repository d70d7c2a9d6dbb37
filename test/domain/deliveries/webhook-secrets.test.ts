import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { createSink } from '../../../src/domain/deliveries/sinks.ts';
import {
  createWebhookSecret,
  ensureWebhookSecret,
  formatWebhookSecret,
  loadWebhookSecrets,
  rotateWebhookSecret,
} from '../../../src/domain/deliveries/webhook-secrets.ts';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';
import {
  createTestClock,
  hours,
  type OpenTestDatabase,
  openTestDatabase,
  outcomes,
  type TestClock,
  times,
} from '../../support/factories.ts';

const box = createSecretBox();
let database: OpenTestDatabase;
let clock: TestClock;
let sinkId: string;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  clock = createTestClock();
  sinkId = newId();
  const sink = { id: sinkId, kind: 'webhook', organizationId: null, shards: 1 };
  await database.db.transaction().execute((tx) => createSink(tx, sink, clock.now()));
});

const create = () =>
  database.db.transaction().execute((tx) => createWebhookSecret(tx, box, sinkId, clock.now()));
const rotate = (overlapHours: number) => {
  const now = clock.now();
  const until = new Date(now.getTime() + hours(overlapHours));
  return database.db.transaction().execute((tx) => rotateWebhookSecret(tx, box, sinkId, until, now));
};
const ensure = (secret?: string) =>
  database.db.transaction().execute((tx) => ensureWebhookSecret(tx, box, sinkId, secret, clock.now()));
const active = async () =>
  (await loadWebhookSecrets(database.db, box, sinkId, clock.now())).map(({ key }) =>
    formatWebhookSecret(key),
  );
const rows = () =>
  database.db.selectFrom('webhook_secret').select('expires_at').where('sink_id', '=', sinkId).execute();

describe('a secret', () => {
  test('has 32 random bytes, and no other is like it', async () => {
    const [one, other] = [await create(), await create()];
    expect(one).toHaveLength(32);
    expect(one.equals(other)).toBe(false);
    expect(formatWebhookSecret(one)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  test('signs until its overlap ends, beside the newer ones, each by its own end', async () => {
    const first = formatWebhookSecret(await create());
    const second = formatWebhookSecret(await rotate(24));
    clock.advance(hours(1));
    const third = formatWebhookSecret(await rotate(48));
    expect(await active()).toEqual([third, second, first]);
    clock.advance(hours(23));
    expect(await active()).toEqual([third, second]);
    clock.advance(hours(25));
    expect(await active()).toEqual([third]);
  });

  test('ends at once where the overlap is nothing, and so do all before it', async () => {
    await create();
    await rotate(24);
    const newest = formatWebhookSecret(await rotate(0));
    expect(await active()).toEqual([newest]);
    expect(await rows()).toEqual([{ expires_at: null }]);
  });

  test('is not rotated into a sixth that signs', async () => {
    await create();
    for (let n = 0; n < 4; n++) await rotate(24);
    const before = await active();
    await expect(rotate(24)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await active()).toEqual(before);
    clock.advance(hours(24));
    await rotate(24);
    expect(await active()).toHaveLength(2);
  });

  test('is one of them without an end, however many rotate at once', async () => {
    await create();
    await outcomes(times(4, () => rotate(24)));
    expect((await rows()).filter((row) => row.expires_at === null)).toHaveLength(1);
    expect(await active()).toHaveLength(5);
  });
});

describe('the secret of the environment', () => {
  const named = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  test('is made where none is named, once, by however many dispatchers', async () => {
    await Promise.all(times(4, () => ensure()));
    const made = await active();
    expect(made).toHaveLength(1);
    await ensure();
    expect(await active()).toEqual(made);
  });

  test('is the one that is named, and stays when it is named no more', async () => {
    await Promise.all(times(4, () => ensure(named)));
    expect(await active()).toEqual([named]);
    await ensure();
    expect(await active()).toEqual([named]);
  });

  test('takes over from the one before it, which signs for a day more', async () => {
    await ensure();
    const [made] = await active();
    await ensure(named);
    expect(await active()).toEqual([named, made]);
    clock.advance(hours(24));
    expect(await active()).toEqual([named]);
  });

  test('may come back while it still signs', async () => {
    const other = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
    await ensure(named);
    await ensure(other);
    await ensure(named);
    expect(await active()).toEqual([named, other]);
  });
});
