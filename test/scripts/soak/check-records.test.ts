/** Records of a soak that went well, each spoilt in one way, and what the checks say then. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkArtifacts,
  checkDelivered,
  checkEnds,
  checkEvents,
  checkUsage,
  knownKeys,
} from '../../../scripts/soak/check-records.ts';
import { readExportFigures } from '../../../scripts/soak/read-figures.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  noon,
  type OpenTestDatabase,
  openTestDatabase,
  registerCompositions,
} from '../../support/factories.ts';

let opened: OpenTestDatabase;
let directory: string;
let ids: { completed: string; failed: string; canceled: string };

const storage = () => createFolderStorage({ directory });
const key = 'artifacts/acme/one.png';

beforeEach(async () => {
  opened = await openTestDatabase(3);
  directory = await mkdtemp(join(tmpdir(), 'rendermill-soak-records-'));
  const { db } = opened;
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId);
  const who = await createUser(db, organizationId);
  const done = await acceptAndStart(db, who);
  const failing = await acceptAndStart(db, who);
  const unwanted = await accept(db, who);
  const now = new Date(noon);
  const file = await storage().put(key, Readable.from(['picture']));
  await complete(db, done.fence, { storageKey: key, ...file });
  await db.transaction().execute(async (tx) => {
    await failExport(tx, failing.fence, { code: 'composition_error', text: 'no picture' }, now);
    await requestCancel(tx, organizationId, unwanted.id, now);
  });
  ids = { completed: done.row.id, failed: failing.row.id, canceled: unwanted.id };
});
afterEach(async () => {
  await opened.close();
  await rm(directory, { recursive: true, force: true });
});

const expected = () => ({
  accepted: 3,
  toFail: new Set([ids.failed]),
  toCancel: new Set([ids.canceled]),
});

const spoil = (text: string) => sql.raw(text).execute(opened.db);

test('nothing is wrong with records that are right', async () => {
  const { db } = opened;
  expect(await checkEnds(db, expected())).toEqual([]);
  expect(await checkEvents(db)).toEqual({ missing: [], tooMany: [] });
  expect(await checkUsage(db)).toEqual([]);
  expect(await checkArtifacts(db, storage())).toEqual([]);
  expect(await readExportFigures(db)).toMatchObject({ stills: 3, completed: 1, failed: 1, canceled: 1 });
  expect([...(await knownKeys(db))].filter((one) => !one.startsWith('bundles/'))).toEqual([key]);
});

describe('ends', () => {
  test('an export that was lost, one that waits for ever, one that failed unasked', async () => {
    const { db } = opened;
    expect(await checkEnds(db, { ...expected(), accepted: 4 })).toEqual(['3 exports of 4 accepted']);
    expect(await checkEnds(db, { ...expected(), toFail: new Set() })).toEqual([
      `export ${ids.failed} is failed: composition_error, no picture`,
    ]);
    expect(await checkEnds(db, { ...expected(), toCancel: new Set() })).toEqual([
      `export ${ids.canceled} is canceled`,
    ]);
    expect(await checkEnds(db, { ...expected(), toFail: new Set([ids.failed, ids.completed]) })).toEqual([
      `export ${ids.completed} is completed, and was made to fail`,
    ]);
    await spoil(`UPDATE export SET status = 'queued' WHERE id = '${ids.completed}'`);
    expect(await checkEnds(db, expected())).toEqual([`export ${ids.completed} is queued`]);
  });

  test('chunks that nobody removed', async () => {
    await spoil(`INSERT INTO render_chunk (id, export_id, organization_id, number, first_frame, last_frame, created_at)
      SELECT gen_random_uuid(), id, organization_id, 0, 0, 149, now() FROM export WHERE id = '${ids.completed}'`);
    expect(await checkEnds(opened.db, expected())).toEqual([`chunks of export ${ids.completed} are left`]);
  });
});

describe('events', () => {
  const eventOf = (name: string, id: string) => `event_name = '${name}' AND entity_id = '${id}'`;

  test.each([
    ['video_rendered', 'completed'],
    ['processing_completed', 'completed'],
    ['job_created', 'canceled'],
    ['processing_failed', 'failed'],
    ['job_canceled', 'canceled'],
  ] as const)('%s that was never recorded', async (name, end) => {
    await spoil(`DELETE FROM domain_event WHERE ${eventOf(name, ids[end])}`);
    expect(await checkEvents(opened.db)).toEqual({
      missing: [`${name} of ${ids[end]} is missing`],
      tooMany: [],
    });
  });

  /** As it would be if a completion were recorded twice: the same, with an id of its own. */
  const copy = async (name: string, id: string, changes: Record<string, string>) => {
    const row = await opened.db
      .selectFrom('domain_event')
      .selectAll()
      .where('event_name', '=', name)
      .where('entity_id', '=', id)
      .executeTakeFirstOrThrow();
    const { position: _position, xid: _xid, ...event } = row;
    const json = { properties: JSON.stringify(row.properties), context: JSON.stringify(row.context) };
    await opened.db
      .insertInto('domain_event')
      .values({ ...event, ...json, derived: null, id: crypto.randomUUID(), ...changes })
      .execute();
  };

  test('one that was recorded twice, and one of an export that failed', async () => {
    await copy('video_rendered', ids.completed, {});
    await copy('processing_completed', ids.completed, { entity_id: ids.failed });
    const { missing, tooMany } = await checkEvents(opened.db);
    expect(missing).toEqual([]);
    expect(tooMany.toSorted()).toEqual([
      `processing_completed of ${ids.failed} is there 1 times, and not due`,
      `video_rendered of ${ids.completed} is there 2 times`,
    ]);
  });

  test('a second first render', async () => {
    await copy('first_render_completed', ids.completed, {});
    expect((await checkEvents(opened.db)).tooMany).toEqual([
      'first_render_completed of user-1 is there 2 times',
    ]);
  });

  test('one that a sink never got, or got twice', async () => {
    const { rows } = await sql<{ id: string }>`SELECT id::text FROM domain_event ORDER BY position`.execute(
      opened.db,
    );
    const lines = rows.map(({ id }) => JSON.stringify({ id }));
    expect(await checkDelivered(opened.db, lines)).toEqual({ missing: [], tooMany: [] });
    const [first, ...others] = lines;
    expect(await checkDelivered(opened.db, [...others, ...others.slice(-1)])).toEqual({
      missing: [`event ${rows[0]?.id} was not delivered`],
      tooMany: [`event ${rows.at(-1)?.id} was delivered twice`],
    });
    expect(first).toBeDefined();
  });
});

test('usage: a user who pays for what failed, and one whose day is missing', async () => {
  await spoil('UPDATE usage_day SET used = 2');
  expect(await checkUsage(opened.db)).toEqual([
    expect.stringMatching(/user-1 2026-03-10: charged 2, owed 1$/),
  ]);
  await spoil('DELETE FROM usage_day');
  expect(await checkUsage(opened.db)).toEqual([
    expect.stringMatching(/user-1 2026-03-10: charged 0, owed 1$/),
  ]);
});

describe('files', () => {
  test('one that is gone, and one with other bytes of the same number', async () => {
    await writeFile(join(directory, key), 'pictuRe');
    expect(await checkArtifacts(opened.db, storage())).toEqual([`${key} is not what was recorded`]);
    await rm(join(directory, key));
    expect(await checkArtifacts(opened.db, storage())).toEqual([
      expect.stringMatching(new RegExp(`^${key} cannot be read: `)),
    ]);
  });

  test('a completed export without one, and one of an export that failed', async () => {
    const { db } = opened;
    await spoil(`UPDATE artifact SET export_id = '${ids.failed}'`);
    expect((await checkArtifacts(db, storage())).toSorted()).toEqual(
      [
        `export ${ids.completed} is completed and has no file`,
        `export ${ids.failed} is failed and has a file`,
      ].toSorted(),
    );
  });
});
