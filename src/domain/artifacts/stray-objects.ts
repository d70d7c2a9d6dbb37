/**
 * What lies in storage and no row points to: left by attempts that died between storing a file and recording it, by deletions that
 * failed, by bundles that were never registered.
 */
import { sql } from 'kysely';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Storage, StoredObject } from '../../platform/storage/contract.ts';

interface Deps {
  readonly db: Database;
  readonly storage: Storage;
}

export interface StraySum {
  readonly objects: number;
  readonly bytes: number;
}

/** Below an organization that the database does not know may lie what another database points to. */
const knownOrganizations = async (db: Database): Promise<ReadonlySet<string>> =>
  new Set((await db.selectFrom('organization').select('id').execute()).map(({ id }) => id));

/** Younger ones may be about to be recorded. */
const minAgeMs = 24 * 3_600_000;
const keysAtOnce = 1_000;

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** As `artifactPrefix` begins them; other names were put there by somebody else. */
const artifactPattern = new RegExp(`^artifacts/[^/]+/(${uuid})/.`);
const bundlePattern = /^bundles\/[^/]+\/[^/]+\.tar$/;

/** Deletes them. Anybody may do it, any time, and twice. */
export const removeStrays = async (deps: Deps & { log: Logger }, now: Date): Promise<StraySum> => {
  let sum: StraySum = { objects: 0, bytes: 0 };
  for await (const { key, sizeInBytes } of findStrays(deps, now)) {
    await deps.storage.delete(key);
    sum = { objects: sum.objects + 1, bytes: sum.bytes + sizeInBytes };
  }
  if (sum.objects > 0) deps.log.info(sum, 'objects that no record points to were deleted');
  return sum;
};

/** Changes nothing. Of a large storage this takes its time: it is listed whole. */
export const measureStrays = async (deps: Deps, now: Date): Promise<StraySum> => {
  let sum: StraySum = { objects: 0, bytes: 0 };
  for await (const { sizeInBytes } of findStrays(deps, now)) {
    sum = { objects: sum.objects + 1, bytes: sum.bytes + sizeInBytes };
  }
  return sum;
};

async function* findStrays({ db, storage }: Deps, now: Date): AsyncGenerator<StoredObject> {
  const before = new Date(now.getTime() - minAgeMs);
  const organizations = await knownOrganizations(db);
  const isOurs = (key: string) => organizations.has(key.split('/')[1] ?? '');
  const old = (prefix: string, pattern: RegExp) =>
    selectOld(storage.list(prefix), (key) => pattern.test(key) && isOurs(key), before);
  for await (const objects of inGroups(old('artifacts/', artifactPattern))) {
    yield* without(objects, await knownArtifactKeys(db, objects));
  }
  for await (const objects of inGroups(old('bundles/', bundlePattern))) {
    yield* without(objects, await knownBundleKeys(db, objects));
  }
}

async function* selectOld(
  objects: AsyncIterable<StoredObject>,
  isCandidate: (key: string) => boolean,
  before: Date,
) {
  for await (const object of objects) {
    if (object.lastModified < before && isCandidate(object.key)) yield object;
  }
}

async function* inGroups(objects: AsyncIterable<StoredObject>): AsyncGenerator<StoredObject[]> {
  let group: StoredObject[] = [];
  for await (const object of objects) {
    group.push(object);
    if (group.length < keysAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

const without = (objects: readonly StoredObject[], known: ReadonlySet<string>): StoredObject[] =>
  objects.filter(({ key }) => !known.has(key));

const keysOf = (objects: readonly StoredObject[]): string[] => objects.map(({ key }) => key);

/** Those of a file that has not expired, of a chunk that is to be joined, and everything of an export that has not ended. */
const knownArtifactKeys = async (db: Database, objects: readonly StoredObject[]): Promise<Set<string>> => {
  const exportIds = objects.map(({ key }) => artifactPattern.exec(key)?.[1] ?? '');
  const { rows } = await sql<{ key: string }>`
    SELECT object.key FROM unnest(${sql.val(keysOf(objects))}::text[], ${sql.val(exportIds)}::uuid[]) AS object (key, export_id)
    WHERE EXISTS (SELECT FROM artifact WHERE storage_key = object.key AND expired_at IS NULL)
      OR EXISTS (SELECT FROM export WHERE id = object.export_id AND status IN ('queued', 'started'))
      OR EXISTS (SELECT FROM render_chunk WHERE export_id = object.export_id
        AND object.key IN (result -> 'video' ->> 'key', result -> 'audio' ->> 'key'))`.execute(db);
  return new Set(rows.map(({ key }) => key));
};

const knownBundleKeys = async (db: Database, objects: readonly StoredObject[]): Promise<Set<string>> => {
  const { rows } = await sql<{ key: string }>`
    SELECT storage_key AS key FROM bundle WHERE storage_key = ANY (${sql.val(keysOf(objects))}::text[])`.execute(
    db,
  );
  return new Set(rows.map(({ key }) => key));
};
