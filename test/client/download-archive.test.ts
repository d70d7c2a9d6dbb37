import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { type ApiUnderTest, json, serve } from './api-under-test.ts';

let api: ApiUnderTest | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-client-zip-'));
});
afterEach(async () => {
  await api?.close();
  api = undefined;
  await rm(folder, { recursive: true });
});

const bytes = Buffer.alloc(300_000, 5);
const clientOf = async (answer: Parameters<typeof serve>[0]) => {
  api = await serve(answer);
  return createClient({ url: api.url, key: 'rm_sk_test' });
};

describe('the download of an archive', () => {
  test('asks for what was ordered, and leaves the whole at its path, in place of what was there', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    const path = join(folder, 'deep', 'all.zip');
    const order = { campaignId: 'spring & sale', layout: 'flat', manifest: true, partial: false } as const;
    expect(await client.downloadArchive(order, path)).toEqual({ path, sizeInBytes: 300_000 });
    await client.downloadArchive({ fileIds: ['a', 'b'] }, path);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await readdir(join(folder, 'deep'))).toEqual(['all.zip']);
    expect(api?.requests.map((request) => request.url)).toEqual([
      '/api/export/zip?campaignId=spring+%26+sale&layout=flat&manifest=true&partial=false',
      '/api/export/zip?fileIds=a%2Cb',
    ]);
  });

  test.each<[string, Parameters<typeof serve>[0], string]>([
    [
      'that breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 1000), () => response.destroy());
      },
      'unreachable',
    ],
    ['of unknown length', (_request, response) => void response.writeHead(200).end(bytes), 'length_mismatch'],
    [
      'that is refused',
      (_request, response) => json(response, 409, { error: { code: 'batch_running', message: '2 of 3' } }),
      'batch_running',
    ],
  ])('%s leaves what was there, and nothing beside it', async (_name, answer, code) => {
    const client = await clientOf(answer);
    const path = join(folder, 'all.zip');
    await writeFile(path, 'older');
    await expect(client.downloadArchive({ campaignId: 'x' }, path)).rejects.toMatchObject({ code });
    expect(await readdir(folder)).toEqual(['all.zip']);
    expect(await readFile(path, 'utf8')).toBe('older');
  });

  test('ends with the signal of its caller', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000));
    });
    const leaving = new AbortController();
    const download = client.downloadArchive({ campaignId: 'x' }, join(folder, 'all.zip'), {
      signal: leaving.signal,
    });
    await expect.poll(() => readdir(folder)).toHaveLength(1);
    leaving.abort(new Error('enough'));
    await expect(download).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});
