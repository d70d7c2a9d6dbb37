/** Archives over the real API: of a campaign of three files and a failure, by an organization of its own for each test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import type { TestApi } from '../../support/api.ts';
import { bytesOf } from './download-events.ts';
import { readBack, unzipTest } from './read-back.ts';
import { type StoredBatch, storeBatch } from './stored-batch.ts';

/** The campaign "spring sale". */
export const storeSpringSale = (api: TestApi, who: Metered): Promise<StoredBatch> =>
  storeBatch(api, who, [
    { variant: 'lamp', locale: 'de-DE', content: Buffer.from('a lamp') },
    { variant: 'Stuhl', locale: 'de-DE', content: Buffer.alloc(70_000, 1) },
    { variant: 'lamp', locale: 'en-US', content: Buffer.alloc(300_000, 2) },
    { variant: 'broken', locale: 'de-DE', outcome: 'failed' },
  ]);

export const artifactOf = ({ db }: TestApi, fileId: string) =>
  db.selectFrom('artifact').selectAll().where('file_id', '=', fileId).executeTakeFirstOrThrow();

/** A folder for what was downloaded, and what programs that are not ours find in it; for a whole test file. */
export const openArchiveFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-archives-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const save = async (bytes: Buffer): Promise<string> => {
    const path = join(folder, `${newId()}.zip`);
    await writeFile(path, bytes);
    return path;
  };
  const entriesOf = async (response: Response) => {
    expect(response.status).toBe(200);
    const bytes = await bytesOf(response);
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    const path = await save(bytes);
    await unzipTest(path);
    return readBack(path);
  };
  return {
    folder,
    save,
    entriesOf,
    namesIn: async (response: Response) => (await entriesOf(response)).map((entry) => entry.name),
  };
};

export const textIn = async (path: string, name: string): Promise<string> =>
  (await promisify(execFile)('unzip', ['-p', path, name])).stdout;
