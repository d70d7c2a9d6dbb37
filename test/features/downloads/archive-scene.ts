/** Archives over the real API: of a campaign of three files and a failure, by an organization of its own for each test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { type Call, createTenant, openTestApi } from '../../support/api.ts';
import { arrangeEach } from '../../support/arrange-each.ts';
import { createUser, noon } from '../../support/factories.ts';
import { bytesOf, expectDownloads } from './download-events.ts';
import { readBack, unzipTest } from './read-back.ts';
import { storeBatch } from './stored-batch.ts';

/** For a whole test file. */
export const openArchiveScene = async () => {
  const api = await openTestApi();
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-archives-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const given = arrangeEach(async () => {
    api.clock.set(noon);
    const tenant = await createTenant(api);
    const who = await createUser(api.db, tenant.organizationId);
    const batch = await storeBatch(api, who, [
      { variant: 'lamp', locale: 'de-DE', content: Buffer.from('a lamp') },
      { variant: 'Stuhl', locale: 'de-DE', content: Buffer.alloc(70_000, 1) },
      { variant: 'lamp', locale: 'en-US', content: Buffer.alloc(300_000, 2) },
      { variant: 'broken', locale: 'de-DE', outcome: 'failed' },
    ]);
    return { tenant, who, batch };
  });

  const save = async (bytes: Buffer): Promise<string> => {
    const path = join(folder, `${newId()}.zip`);
    await writeFile(path, bytes);
    return path;
  };
  /** As programs that are not ours find them. */
  const entriesOf = async (response: Response) => {
    expect(response.status).toBe(200);
    const bytes = await bytesOf(response);
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    const path = await save(bytes);
    await unzipTest(path);
    return readBack(path);
  };
  return {
    api,
    folder,
    given,
    zip: (query: string, call: Call = {}) =>
      api.call(`/api/export/zip?${query}`, { key: given.tenant.key, ...call }),
    /** The query of the campaign's archive. */
    ofBatch: (more = '') => `campaignId=${given.batch.id}${more}`,
    expectEvents: (names: readonly string[]) => expectDownloads(api, given.tenant, names),
    artifactOf: (fileId: string) =>
      api.db.selectFrom('artifact').selectAll().where('file_id', '=', fileId).executeTakeFirstOrThrow(),
    save,
    entriesOf,
    namesIn: async (response: Response) => (await entriesOf(response)).map((entry) => entry.name),
  };
};

export const textIn = async (path: string, name: string): Promise<string> =>
  (await promisify(execFile)('unzip', ['-p', path, name])).stdout;
