import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { TierName } from '../../../src/core/tiers.ts';
import { changeOrganization } from '../../../src/domain/accounts/organizations.ts';
import { artifactKey } from '../../../src/domain/artifacts/artifact-keys.ts';
import { type Artifact, findArtifactsOf } from '../../../src/domain/artifacts/artifacts.ts';
import { expireArtifacts } from '../../../src/domain/artifacts/expire-artifacts.ts';
import { findReusable } from '../../../src/domain/exports/find-reusable.ts';
import { presentFile } from '../../../src/domain/exports/present-export.ts';
import type { Storage } from '../../../src/platform/storage/contract.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import {
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  hours,
  noon,
  openTestDatabase,
  silentLog,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
const directory = await mkdtemp(join(tmpdir(), 'rendermill-retention-'));
const storage = createFolderStorage({ directory });
afterAll(async () => {
  await close();
  await rm(directory, { recursive: true });
});

const later = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);
const days = (count: number) => hours(24 * count);
let organizationId: string;

beforeEach(async () => {
  // What other tests left is due in this one's future.
  await db
    .updateTable('artifact')
    .set({ expired_at: new Date(noon) })
    .execute();
  organizationId = await createOrganization(db);
});

interface Given {
  readonly tier?: TierName;
  /** Of another file, which is used again. */
  readonly storageKey?: string;
  readonly contentHash?: string;
  readonly at?: Date;
}

const store = async ({ tier = 'free', storageKey, contentHash, at = new Date(noon) }: Given = {}) => {
  const who = await createUser(db, organizationId, { tier });
  const { row, fence } = await acceptAndStart(db, who);
  const key = storageKey ?? artifactKey({ ...fence, organizationId }, 'png');
  if (storageKey === undefined) await storage.put(key, Readable.from([Buffer.from('x')]));
  await complete(db, fence, { storageKey: key, ...(contentHash === undefined ? {} : { contentHash }) }, at);
  return { id: row.id, key };
};

const artifactOf = async (id: string): Promise<Artifact> => {
  const artifact = (await findArtifactsOf(db, [id])).get(id);
  if (!artifact) throw new Error(`export ${id} has no file`);
  return artifact;
};

const expire = (now: Date, on: Storage = storage) =>
  expireArtifacts({ db, storage: on, log: silentLog }, now);

describe('a file expires', () => {
  test.each([
    ['free', days(30)],
    ['pro', days(180)],
    ['unlimited', null],
  ] as const)('as the tier %s says', async (tier, expected) => {
    const { expires_at } = await artifactOf((await store({ tier })).id);
    expect(expires_at).toEqual(expected === null ? null : later(expected));
  });

  test('as the organization changed it, from then on', async () => {
    const before = await store();
    const tiers = {
      free: { retentionDays: 0.5 },
      unlimited: { retentionDays: 1 },
      pro: { retentionDays: null },
    };
    await db.transaction().execute((tx) => changeOrganization(tx, organizationId, { tiers }));
    const expiries = [];
    for (const tier of ['free', 'unlimited', 'pro'] as const) {
      expiries.push((await artifactOf((await store({ tier })).id)).expires_at);
    }
    expect(expiries).toEqual([later(hours(12)), later(days(1)), null]);
    expect((await artifactOf(before.id)).expires_at).toEqual(later(days(30)));
  });
});

describe('the removal of files', () => {
  test('takes those whose time has come, and keeps the records', async () => {
    const [old, young, kept] = [
      await store(),
      await store({ at: later(days(1)) }),
      await store({ tier: 'unlimited' }),
    ];
    expect(await expire(later(days(30) - 1))).toBe(0);
    expect(await expire(later(days(30)))).toBe(1);
    expect(await Promise.all([old, young, kept].map(({ key }) => storage.stat(key)))).toEqual([
      null,
      expect.anything(),
      expect.anything(),
    ]);
    expect(presentFile(await artifactOf(old.id), later(days(30)))).toMatchObject({
      expired: true,
      expiresAt: later(days(30)).toISOString(),
    });
    expect(presentFile(await artifactOf(young.id), later(days(30))).expired).toBe(false);
    expect(presentFile(await artifactOf(kept.id), later(days(30)))).toMatchObject({
      expired: false,
      expiresAt: null,
    });
    expect(await expire(later(days(30)))).toBe(0);
  });

  test('leaves a blob for as long as one of its files lives', async () => {
    const first = await store();
    const again = await store({ storageKey: first.key, at: later(days(10)) });
    expect(await expire(later(days(30)))).toBe(1);
    expect(await storage.stat(first.key)).not.toBeNull();
    expect((await artifactOf(again.id)).expired_at).toBeNull();
    expect(await expire(later(days(40)))).toBe(1);
    expect(await storage.stat(first.key)).toBeNull();
  });

  test('takes a blob whose files are all due at once', async () => {
    const first = await store();
    await store({ storageKey: first.key });
    expect(await expire(later(days(31)))).toBe(2);
    expect(await storage.stat(first.key)).toBeNull();
  });

  test('by several at once marks each file once, more than fit in a round', async () => {
    const who = await createUser(db, organizationId, { tier: 'unlimited' });
    const files: { id: string; key: string }[] = [];
    for (const index of times(230, (one) => one)) {
      const { row, fence } = await acceptAndStart(db, who);
      const shared = index % 2 ? files.at(-1)?.key : undefined;
      const key = shared ?? artifactKey({ ...fence, organizationId }, 'png');
      await storage.put(key, Readable.from([Buffer.from('x')]));
      await complete(db, fence, { storageKey: key });
      files.push({ id: row.id, key });
    }
    await db
      .updateTable('artifact')
      .set({ expires_at: later(1) })
      .where('organization_id', '=', organizationId)
      .execute();
    const counts = await Promise.all(times(4, () => expire(later(2))));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(230);
    for (const { key } of files) expect(await storage.stat(key)).toBeNull();
  }, 60_000);

  test('that fails is tried again, and holds up no other', async () => {
    const tiers = { unlimited: { retentionDays: 180 } };
    await db.transaction().execute((tx) => changeOrganization(tx, organizationId, { tiers }));
    // More than a round takes, and before the other in line.
    const ones = [];
    for (const _ of times(101, (index) => index)) ones.push(await store({ tier: 'unlimited' }));
    const other = await store({ tier: 'unlimited', at: later(1) });
    const failing: Storage = {
      ...storage,
      delete: async (key) => {
        if (key !== other.key) throw new Error('the storage is away');
        await storage.delete(key);
      },
    };
    expect(await expire(later(days(181)), failing)).toBe(1);
    expect((await artifactOf(other.id)).expired_at).not.toBeNull();
    expect((await artifactOf(ones[0]?.id ?? '')).expired_at).toBeNull();
    expect(await expire(later(days(182)))).toBe(101);
    for (const { key } of ones) expect(await storage.stat(key)).toBeNull();
  }, 60_000);

  test('goes on where somebody died between the blob and the mark', async () => {
    const { id, key } = await store();
    await storage.delete(key);
    expect(await expire(later(days(31)))).toBe(1);
    expect((await artifactOf(id)).expired_at).toEqual(later(days(31)));
  });
});

describe('a file is used again', () => {
  const reusable = async (contentHash: string, at: Date) =>
    (await findReusable(db, organizationId, [contentHash], at)).map((file) => file.storageKey);

  test('only while it does not expire soon: its removal must not meet the commit of what uses it', async () => {
    const { key } = await store({ contentHash: 'soon' });
    expect(await reusable('soon', later(0))).toEqual([key]);
    expect(await reusable('soon', later(days(30) - hours(1) - 1))).toEqual([key]);
    expect(await reusable('soon', later(days(30) - hours(1)))).toEqual([]);
  });

  test('never when it was removed; a younger or longer-lived one of the same content is', async () => {
    const old = await store({ contentHash: 'same' });
    await expire(later(days(31)));
    expect(await reusable('same', later(0))).toEqual([]);
    const lasting = await store({ contentHash: 'same', tier: 'unlimited' });
    expect(await reusable('same', later(days(400)))).toEqual([lasting.key]);
    expect(old.key).not.toBe(lasting.key);
  });
});
