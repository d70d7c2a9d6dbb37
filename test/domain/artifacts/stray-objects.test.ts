import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { artifactPrefix } from '../../../src/domain/artifacts/artifact-keys.ts';
import { measureStrays, removeStrays } from '../../../src/domain/artifacts/stray-objects.ts';
import { registerBundle } from '../../../src/domain/compositions/register-bundle.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  hours,
  openTestDatabase,
  silentLog,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
const directory = await mkdtemp(join(tmpdir(), 'rendermill-strays-'));
const storage = createFolderStorage({ directory });
afterAll(async () => {
  await close();
  await rm(directory, { recursive: true });
});

const now = new Date();
let who: Metered;
let organizationId: string;

beforeEach(async () => {
  organizationId = await createOrganization(db);
  who = await createUser(db, organizationId, { tier: 'unlimited' });
});

/** A day and an hour old, unless told otherwise. */
const put = async (key: string, ageHours = 25): Promise<string> => {
  await storage.put(key, Readable.from([Buffer.from('12345')]));
  const at = new Date(now.getTime() - hours(ageHours));
  await utimes(join(directory, key), at, at);
  return key;
};
const exists = async (key: string) => (await storage.stat(key)) !== null;
const keyOf = (exportId: string, name: string) => `${artifactPrefix(organizationId, exportId)}${name}`;

/** An export with its file; returns the export's id and the file's key. */
const stored = async () => {
  const { row, fence } = await acceptAndStart(db, who);
  const key = await put(keyOf(row.id, '1-1.png'));
  await complete(db, fence, { storageKey: key });
  return { id: row.id, key };
};

test('deletes what no record points to, and says how much that is', async () => {
  const { id, key } = await stored();
  const strays = [
    await put(keyOf(id, '0-1.png')),
    await put(keyOf(newId(), '1-1.mp4')),
    await put(keyOf(newId(), 'chunks/3-1-1.ts')),
    await put(`bundles/${organizationId}/ffffffffffffffff.tar`),
  ];
  expect(await measureStrays({ db, storage }, now)).toEqual({ objects: 4, bytes: 20 });
  expect(await Promise.all(strays.map(exists))).toEqual([true, true, true, true]);
  expect(await removeStrays({ db, storage, log: silentLog }, now)).toEqual({ objects: 4, bytes: 20 });
  expect(await Promise.all(strays.map(exists))).toEqual([false, false, false, false]);
  expect(await exists(key)).toBe(true);
  expect(await measureStrays({ db, storage }, now)).toEqual({ objects: 0, bytes: 0 });
});

test('keeps what is young, what is used, and what it did not put there', async () => {
  const first = await stored();
  const again = await acceptAndStart(db, who);
  await complete(db, again.fence, { storageKey: first.key });
  await db.updateTable('artifact').set({ expired_at: now }).where('export_id', '=', first.id).execute();
  const queued = await accept(db, who);
  const { row: started } = await acceptAndStart(db, who);
  const { id: ended } = await stored();
  const chunk = { video: keyOf(ended, 'chunks/0-1-1.ts'), audio: keyOf(ended, 'chunks/0-1-1.aac') };
  await db
    .insertInto('render_chunk')
    .values({
      id: newId(),
      export_id: ended,
      organization_id: organizationId,
      number: 0,
      first_frame: 0,
      last_frame: 9,
      result: JSON.stringify({
        video: { key: chunk.video, sizeInBytes: 5, sha256: '' },
        audio: { key: chunk.audio, sizeInBytes: 5, sha256: '' },
      }),
      created_at: now,
    })
    .execute();
  const bundle = { organizationId, version: 'aaaaaaaaaaaaaaaa', sizeInBytes: 5, compositions: [] };
  const storageKey = `bundles/${organizationId}/${bundle.version}.tar`;
  await db.transaction().execute((tx) => registerBundle(tx, { ...bundle, storageKey }, now));
  const kept = [
    first.key,
    await put(keyOf(newId(), '1-1.png'), 23),
    await put(`bundles/${organizationId}/bbbbbbbbbbbbbbbb.tar`, 23),
    await put(keyOf(queued.id, '1-1.mp4')),
    await put(keyOf(started.id, 'chunks/0-1-1.ts')),
    await put(chunk.video),
    await put(chunk.audio),
    await put(storageKey),
    await put('artifacts/notes.txt'),
    await put(`artifacts/${organizationId}/readme/a.txt`),
    await put('bundles/readme.txt'),
    await put('elsewhere/a.png'),
  ];
  expect(await removeStrays({ db, storage, log: silentLog }, now)).toEqual({ objects: 0, bytes: 0 });
  for (const key of kept) expect([key, await exists(key)]).toEqual([key, true]);
});

test('deletes the blob of a file that expired and could not be deleted then', async () => {
  const { id, key } = await stored();
  await db.updateTable('artifact').set({ expired_at: now }).where('export_id', '=', id).execute();
  expect(await removeStrays({ db, storage, log: silentLog }, now)).toMatchObject({ objects: 1 });
  expect(await exists(key)).toBe(false);
});

test('asks the database for a thousand at a time', async () => {
  const id = newId();
  await Promise.all(times(1_300, (index) => put(keyOf(id, `${index}-1.png`))));
  const { key } = await stored();
  expect(await removeStrays({ db, storage, log: silentLog }, now)).toMatchObject({ objects: 1_300 });
  expect(await exists(key)).toBe(true);
});

test('keeps what lies below organizations of another database: a wrong DATABASE_URL must not empty a bucket', async () => {
  const theirs = [
    await put(`artifacts/not-of-this-database/${newId()}/1-1.png`),
    await put('bundles/not-of-this-database/ffffffffffffffff.tar'),
  ];
  await removeStrays({ db, storage, log: silentLog }, now);
  expect(await Promise.all(theirs.map(exists))).toEqual([true, true]);
});
