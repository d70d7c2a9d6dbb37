import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { assertSameStorage } from '../../src/apps/storage-identity.ts';
import { createFolderStorage } from '../../src/platform/storage/folder.ts';
import { codeOf, openTestDatabase, times } from '../support/factories.ts';

const { db, close } = await openTestDatabase();
const directory = await mkdtemp(join(tmpdir(), 'rendermill-identity-'));
afterAll(async () => {
  await close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => db.updateTable('installation').set({ storage_id: null }).execute());

let folders = 0;
const newPlace = () => ({
  db,
  storage: createFolderStorage({ directory: join(directory, `${++folders}`) }),
  place: 'the folder',
});
const codeOfCheck = (where: ReturnType<typeof newPlace>, mayAdopt: boolean) =>
  assertSameStorage(where, { mayAdopt }).then(() => 'fine', codeOf);

describe('a database and its storage', () => {
  test('become a pair at the first start, whoever starts, and are one from then on', async () => {
    const where = newPlace();
    expect(await codeOfCheck(where, false)).toBe('fine');
    expect(await codeOfCheck(where, false)).toBe('fine');
    expect(await codeOfCheck(where, true)).toBe('fine');
  });

  test('become one pair, though ten start at once', async () => {
    const where = newPlace();
    expect(new Set(await Promise.all(times(10, () => codeOfCheck(where, false))))).toEqual(new Set(['fine']));
  });

  test('are not a pair where a worker sees an empty storage: it refuses to start', async () => {
    await codeOfCheck(newPlace(), true);
    const elsewhere = newPlace();
    expect(await codeOfCheck(elsewhere, false)).toBe('invalid_configuration');
    expect(await elsewhere.storage.stat('installation/storage-id')).toBeNull();
  });

  test('are a pair again where the API was moved to an empty storage', async () => {
    await codeOfCheck(newPlace(), true);
    const moved = newPlace();
    expect(await codeOfCheck(moved, true)).toBe('fine');
    expect(await codeOfCheck(moved, false)).toBe('fine');
  });

  test("are never one with another installation's storage, not for its owner either", async () => {
    const others = newPlace();
    await codeOfCheck(others, true);
    await db.updateTable('installation').set({ storage_id: null }).execute();
    await codeOfCheck(newPlace(), true);
    expect(await codeOfCheck(others, true)).toBe('invalid_configuration');
  });
});
