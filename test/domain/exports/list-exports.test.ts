import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExportFilter, listExports } from '../../../src/domain/exports/list-exports.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  noon,
  openTestDatabase,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const plus = (milliseconds: number) => new Date(now.getTime() + milliseconds);

const readAll = async (
  organizationId: string,
  limit: number,
  between?: () => Promise<unknown>,
): Promise<string[][]> => {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await listExports(db, organizationId, {}, { limit, cursor });
    pages.push(page.exports.map((row) => row.id));
    cursor = page.nextCursor ?? undefined;
    await between?.();
  } while (cursor !== undefined);
  return pages;
};

describe('the pages', () => {
  test('go newest first, hold each export once, and end with null', async () => {
    const who = await createUser(db, await createOrganization(db));
    const rows = [];
    for (const index of times(7, (at) => at)) rows.push(await accept(db, who, {}, plus(index)));
    const pages = await readAll(who.organizationId, 3);
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(rows.map((row) => row.id).toReversed());
  });

  test('end exactly at the last export, with no empty page after it', async () => {
    const who = await createUser(db, await createOrganization(db));
    for (const index of times(4, (at) => at)) await accept(db, who, {}, plus(index));
    expect((await readAll(who.organizationId, 2)).map((page) => page.length)).toEqual([2, 2]);
  });

  test('of exports with the very same time hold each once', async () => {
    const who = await createUser(db, await createOrganization(db));
    const rows = await Promise.all(times(10, () => accept(db, who, {}, now)));
    const seen = (await readAll(who.organizationId, 3)).flat();
    expect(seen).toHaveLength(10);
    expect(new Set(seen)).toEqual(new Set(rows.map((row) => row.id)));
  });

  test('of exports that are a microsecond apart hold each once', async () => {
    const who = await createUser(db, await createOrganization(db));
    await Promise.all(times(9, () => accept(db, who, {}, now)));
    await sql`UPDATE export SET created_at = export.created_at + n * interval '1 microsecond'
      FROM (SELECT id, row_number() OVER () AS n FROM export WHERE organization_id = ${who.organizationId}) AS line
      WHERE line.id = export.id`.execute(db);
    expect(new Set((await readAll(who.organizationId, 2)).flat()).size).toBe(9);
  });

  test('do not shift while new exports come in', async () => {
    const who = await createUser(db, await createOrganization(db));
    const rows = [];
    for (const index of times(6, (at) => at)) rows.push(await accept(db, who, {}, plus(index)));
    const seen = (await readAll(who.organizationId, 2, () => accept(db, who, {}, plus(10_000)))).flat();
    expect(seen).toEqual(rows.map((row) => row.id).toReversed());
  });

  test.each([
    '',
    'nonsense',
    Buffer.from('1:2').toString('base64url'),
    Buffer.from("1'; DROP TABLE export:x").toString('base64url'),
  ])('refuse the cursor %j, which nobody gave out', async (cursor) => {
    const page = listExports(db, 'org-1', {}, { limit: 1, cursor });
    await expect(page).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('the filter', () => {
  let organizationId = '';
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    organizationId = await createOrganization(db);
    const ann = await createUser(db, organizationId, { id: 'ann' });
    const bob = await createUser(db, organizationId, { id: 'bob' });
    const done = await acceptAndStart(db, ann, { projectId: 'p1', compositionId: 'hero-ad' });
    await complete(db, done.fence);
    ids.done = done.row.id;
    ids.video = (
      await accept(
        db,
        bob,
        { projectId: 'p2', kind: 'video', format: 'mp4', compositionId: 'open' },
        plus(1000),
      )
    ).id;
    ids.jpeg = (
      await accept(db, ann, { projectId: 'p2', format: 'jpeg', compositionId: 'open' }, plus(2000))
    ).id;
    await accept(db, await createUser(db, await createOrganization(db), { id: 'ann' }), { projectId: 'p1' });
  });

  test.each<[ExportFilter, readonly string[]]>([
    [{}, ['jpeg', 'video', 'done']],
    [{ userId: 'ann' }, ['jpeg', 'done']],
    [{ projectId: 'p2' }, ['jpeg', 'video']],
    [{ compositionId: 'hero-ad' }, ['done']],
    [{ status: 'completed' }, ['done']],
    [{ status: 'queued' }, ['jpeg', 'video']],
    [{ kind: 'video' }, ['video']],
    [{ format: 'jpeg' }, ['jpeg']],
    [{ from: plus(1000) }, ['jpeg', 'video']],
    [{ until: plus(1000) }, ['done']],
    [{ from: plus(1000), until: plus(2000) }, ['video']],
    [{ userId: 'ann', status: 'queued' }, ['jpeg']],
    [{ userId: 'nobody' }, []],
  ])('%j', async (filter, expected) => {
    const { exports } = await listExports(db, organizationId, filter, { limit: 10 });
    expect(exports.map((row) => Object.keys(ids).find((name) => ids[name] === row.id))).toEqual(expected);
  });
});
