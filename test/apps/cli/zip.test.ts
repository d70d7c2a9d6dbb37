import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBack } from '../../features/downloads/read-back.ts';
import { storeBatch } from '../../features/downloads/stored-batch.ts';
import { createTenant, startTestApi, type TestApi } from '../../support/api.ts';
import { createUser } from '../../support/factories.ts';
import { jsonOf, runCommand } from './run-command.ts';

let api: TestApi;
let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  api = await startTestApi();
  folder = await mkdtemp(join(tmpdir(), 'rendermill-cli-zip-'));
  const tenant = await createTenant(api);
  const who = await createUser(api.db, tenant.organizationId);
  await storeBatch(api, who, [
    { variant: 'lamp', locale: 'de' },
    { variant: 'chair', locale: 'en' },
  ]);
  environment = { RENDERMILL_URL: api.url, RENDERMILL_API_KEY: tenant.key };
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

test('zip writes the archive of a campaign in the layout that was asked for, and says where and how long', async () => {
  const output = join(folder, 'sale.zip');
  const args = ['zip', 'spring sale', '--output', output, '--layout', 'google-play', '--manifest', '--json'];
  const result = await runCommand(args, environment);
  expect(result).toMatchObject({ exitCode: 0, err: [] });
  const entries = await readBack(output);
  expect(entries.map((entry) => entry.name)).toEqual([
    'metadata/android/de-DE/images/phoneScreenshots/lamp-square.png',
    'metadata/android/en-US/images/phoneScreenshots/chair-square.png',
    'manifest.json',
  ]);
  expect(jsonOf(result)).toMatchObject({ path: output });
  expect(await readdir(folder)).toEqual(['sale.zip']);
});

test('zip of an unknown campaign says so and leaves nothing', async () => {
  const result = await runCommand(['zip', 'nowhere', '--output', join(folder, 'no.zip')], environment);
  expect(result.exitCode).toBe(1);
  expect(result.err.join('\n')).toContain('nowhere');
  expect(await readdir(folder)).not.toContain('no.zip');
});

test('zip knows its layouts', async () => {
  const result = await runCommand(['zip', 'x', '--layout', 'upside-down'], environment);
  expect(result.exitCode).toBe(2);
  expect(result.err.join('\n')).toContain('google-play');
});
