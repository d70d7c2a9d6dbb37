import { openAsBlob } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseSizes } from '../../../src/apps/cli/commands/import-csv.ts';
import { createClient } from '../../../src/client/client.ts';
import { card } from '../../features/csv-import/csv-form.ts';
import { createTenant, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { createUser, registerCompositions } from '../../support/factories.ts';
import { jsonOf, runCommand } from './run-command.ts';

let api: TestApi;
let tenant: Tenant;
let folder: string;
let file: string;
beforeAll(async () => {
  api = await startTestApi();
  folder = await mkdtemp(join(tmpdir(), 'rendermill-import-'));
  file = join(folder, 'products.csv');
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  tenant = await createTenant(api);
  await registerCompositions(api.db, tenant.organizationId, {
    compositions: [card],
    version: 'aabbccdd00112233',
  });
  await createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'unlimited' });
  await writeFile(file, 'Artikel;Name;Preis\nL-1;Lampe;12,50\nT-1;Tisch;99\n');
});

const run = (...args: string[]) =>
  runCommand([
    'import-csv',
    file,
    ...['--url', api.url, '--key', tenant.key, '--composition', 'card', '--user', 'ann', '--no-wait'],
    ...['--sizes', 'square=1080x1080,story=1080x1920@phone'],
    ...args,
  ]);
const mapped = ['--map', 'productName=Name', '--map', 'price=Preis', '--name-column', 'Artikel'];
const countBatches = async () =>
  (
    await api.db
      .selectFrom('batch')
      .select('id')
      .where('organization_id', '=', tenant.organizationId)
      .execute()
  ).length;

const readMode = async (id: string) =>
  (await api.db.selectFrom('batch').select('render_mode').where('id', '=', id).executeTakeFirst())
    ?.render_mode;

describe('import-csv', () => {
  it('asks for the mode that was named, which the service may not have', async () => {
    const here = await run(...mapped, '--render-mode', 'local', '--json');
    expect(await readMode(String(jsonOf(here).id))).toBe('local');
    const there = await run(...mapped, '--render-mode', 'lambda');
    expect(there.exitCode).toBe(1);
    expect(there.err.join()).toContain('LAMBDA_FUNCTION');
    expect((await run(...mapped, '--render-mode', 'gpu')).exitCode).toBe(2);
  });

  it('imports the file in the sizes and by the columns that were named', async () => {
    const result = await run(...mapped, '--set', 'currency=CHF', '--set', 'rating.value=4', '--json');
    expect(result.err).toEqual([]);
    expect(result.exitCode).toBe(0);
    const { id, cells } = jsonOf(result);
    expect(cells).toBe(4);
    expect(await readMode(String(id))).toBe('local');
    const variants = await api.db
      .selectFrom('batch_variant')
      .selectAll()
      .where('batch_id', '=', String(id))
      .execute();
    expect(variants).toMatchObject([
      { name: 'L-1', props: { productName: 'Lampe', price: 12.5, currency: 'CHF', rating: { value: 4 } } },
      { name: 'T-1', props: { productName: 'Tisch', price: 99 } },
    ]);
    const batch = await api.db
      .selectFrom('batch')
      .selectAll()
      .where('id', '=', String(id))
      .executeTakeFirst();
    expect(batch?.sizes).toEqual([
      { name: 'square', width: 1080, height: 1080, device: null },
      { name: 'story', width: 1080, height: 1920, device: 'phone' },
    ]);
  });

  it('tells a person what was accepted', async () => {
    const { out } = await run(...mapped);
    expect(out.join('\n')).toMatch(/^Accepted [0-9a-f-]{36}: 2 of 2 rows, 4 cells\.$/);
  });

  it('in a dry run says how the file was understood, and accepts nothing', async () => {
    const { exitCode, out } = await run(...mapped, '--dry-run');
    expect(exitCode).toBe(0);
    expect(out).toEqual([
      '  productName ← Name',
      '  price ← Preis',
      'A dry run: 2 of 2 rows, 4 cells; utf-8, semicolon. Nothing was accepted.',
    ]);
    expect(await countBatches()).toBe(0);
  });

  it('shows bad rows as a table, and leaves with 1', async () => {
    await writeFile(file, 'productName,price\nLamp,cheap\nTable,5\n');
    const { exitCode, err } = await run();
    expect(exitCode).toBe(1);
    expect(err[0]).toBe(
      [
        'line  column  reason                          value',
        '2     price   is not a number such as 1234.5  cheap',
      ].join('\n'),
    );
    expect(err[1]).toMatch(/^rendermill: 1 of 2 rows are not valid, and nothing was imported/);
    expect(await countBatches()).toBe(0);
    const skipped = await run('--on-error', 'skip');
    expect(skipped).toMatchObject({ exitCode: 0, err: [expect.stringContaining('cheap')] });
    expect(skipped.out[0]).toMatch(/1 of 2 rows, 2 cells, 1 refused/);
  });

  it('gives a script the refusal as JSON', async () => {
    await writeFile(file, 'productName,price\nLamp,cheap\n');
    const result = await run('--json');
    expect(result.exitCode).toBe(1);
    expect(jsonOf(result)).toMatchObject({ error: { code: 'rows_refused', details: { problemCount: 1 } } });
  });

  it('does not send a file that is too large, none at all, or a folder', async () => {
    const large = await open(file, 'w');
    await large.truncate(100 * 1024 * 1024 + 1);
    await large.close();
    expect(await run()).toMatchObject({ exitCode: 1, err: [expect.stringMatching(/up to 100 MB/)] });
    await rm(file);
    expect(await run()).toMatchObject({ exitCode: 1, err: [expect.stringMatching(/cannot be read/)] });
  });

  it.each([
    ['--sizes', 'square', /square=1080x1080/],
    ['--map', 'price', /prop=column/],
    ['--delimiter', 'x', /comma, semicolon, tab, pipe/],
  ])('does not understand %s %s', async (option, value, message) => {
    const { exitCode, err } = await run(option, value);
    expect(exitCode).toBe(2);
    expect(err.join('\n')).toMatch(message);
  });
});

describe('the client', () => {
  it('reads the refusal of a file that is too large while it is sending it', async () => {
    const large = await open(file, 'w');
    await large.truncate(110 * 1024 * 1024);
    await large.close();
    const client = createClient({ url: api.url, key: tenant.key });
    const order = {
      userId: 'ann',
      projectId: 'p',
      compositionId: 'card',
      format: 'png',
      sizes: parseSizes('a=1x1'),
    } as const;
    await expect(client.importCsv(await openAsBlob(file), order)).rejects.toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
  });
});

it('reads sizes', () => {
  expect(parseSizes('a=1x2, b=3x4@phone')).toEqual([
    { name: 'a', width: 1, height: 2 },
    { name: 'b', width: 3, height: 4, device: 'phone' },
  ]);
  expect(() => parseSizes('a=1')).toThrow(InvalidArgumentError);
});
