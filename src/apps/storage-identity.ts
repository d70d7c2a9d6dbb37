/**
 * A database and a storage belong together: a worker that sees another storage than the API would lose every file that it makes. Both
 * carry one id, which whoever comes first writes.
 */

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { RendermillError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Database } from '../platform/db/client.ts';
import type { Storage } from '../platform/storage/contract.ts';

const key = 'installation/storage-id';

const idOfStorage = async (storage: Storage): Promise<string | null> =>
  (await storage.stat(key)) === null ? null : (await text(await storage.read(key))).trim();

const idOfDatabase = async (db: Database): Promise<string | null> =>
  (await db.selectFrom('installation').select('storage_id').executeTakeFirst())?.storage_id ?? null;

/** Of several that start at once the first may still be about to write it. */
const waitForId = async (storage: Storage): Promise<string | null> => {
  for (let looks = 0; looks < 20; looks += 1) {
    const found = await idOfStorage(storage);
    if (found !== null) return found;
    await delay(100);
  }
  return null;
};

/** The first of several that meet; all of them get its id. */
const makeId = async (db: Database): Promise<string | null> => {
  await db.updateTable('installation').set({ storage_id: newId() }).where('storage_id', 'is', null).execute();
  return idOfDatabase(db);
};

/**
 * Throws `invalid_configuration` where they are not one pair. `mayAdopt`: an empty storage becomes that of the database, as at the first
 * start, or after a move to an empty bucket; for whoever owns the installation, not for one worker of many.
 */
export const assertSameStorage = async (
  { db, storage, place }: { db: Database; storage: Storage; place: string },
  { mayAdopt }: { mayAdopt: boolean },
): Promise<void> => {
  const known = await idOfDatabase(db);
  const wanted = known ?? (await makeId(db));
  const found = known === null || mayAdopt ? await idOfStorage(storage) : await waitForId(storage);
  if (found === wanted) return;
  if (found === null && wanted !== null && (mayAdopt || known === null)) {
    await storage.putIfAbsent(key, Readable.from([wanted]));
    if ((await idOfStorage(storage)) === wanted) return;
  }
  throw new RendermillError('invalid_configuration', {
    message: `${place} is not the storage of this database: ${
      found === null ? 'nothing of this installation is there' : 'it belongs to another database'
    }. Set STORAGE_DIRECTORY or S3_BUCKET to where the API keeps its files; all processes must see the same.`,
  });
};
