/**
 * Imports a CSV file and checks every file that comes of it.
 *
 *   node --import tsx scripts/test-csv-import.ts --file products.csv     starts a service of its own, and stops it afterwards
 *   … --url URL --key KEY                                                through one that runs (RENDERMILL_URL, RENDERMILL_API_KEY)
 *   … --composition ID --preset SHOP --name-column COLUMN                default: product-card, none, sku
 *
 * Exit code 1 on any miss.
 */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/apps/cli/table.ts';
import { ApiError } from '../src/client/api-error.ts';
import type { CampaignCell } from '../src/client/campaign-types.ts';
import { createClient } from '../src/client/client.ts';
import { type PresetName, presetNames } from '../src/core/csv/import-options.ts';
import { type FoundService, findService } from './support/find-service.ts';

const example = fileURLToPath(new URL('../remotion/examples/products.csv', import.meta.url));

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.RENDERMILL_URL },
    key: { type: 'string', default: process.env.RENDERMILL_API_KEY },
    file: { type: 'string', default: example },
    composition: { type: 'string', default: 'product-card' },
    preset: { type: 'string', default: 'none' },
    'name-column': { type: 'string' },
  },
});

const misses: string[] = [];
const expectEqual = (what: string, found: unknown, expected: unknown) => {
  if (found !== expected) misses.push(`${what}: found ${found}, expected ${expected}`);
  console.log(`  ${found === expected ? 'ok ' : 'NO '} ${what}: ${found}`);
};

const sizes = [
  { name: 'square', width: 540, height: 540 },
  { name: 'story', width: 540, height: 960, device: 'phone' },
];

const importAndCheck = async (service: FoundService, folder: string) => {
  const client = createClient(service);
  const preset: PresetName = presetNames.find((one) => one === values.preset) ?? 'none';
  const nameColumn = values['name-column'] ?? (values.file === example ? 'sku' : undefined);
  // A user of its own, so that nobody's daily limit is touched.
  const userId = `test-csv-import-${randomUUID()}`;
  await client.putUser(userId, { tier: 'unlimited' });
  const order = {
    userId,
    projectId: 'test-csv-import',
    compositionId: values.composition,
    format: 'png' as const,
    sizes,
    preset,
    ...(nameColumn === undefined ? {} : { nameColumn }),
  };
  const file = await openAsBlob(values.file);
  const startedAt = performance.now();

  const plan = await client.planCsvImport(file, order);
  console.log(`Dry run of ${values.file}: ${plan.rows} rows, ${plan.cells} cells, ${plan.encoding}`);
  expectEqual('dry run: would be accepted', plan.allowed, true);
  const accepted = await client.importCsv(file, order);
  console.log(`Accepted ${accepted.id}`);
  expectEqual('rows refused', accepted.refused, 0);
  expectEqual('cells as in the dry run', accepted.cells, plan.cells);
  expectEqual('cells are rows × sizes', accepted.cells, accepted.rows * sizes.length);

  for await (const message of client.watchCampaign(accepted.id))
    if (message.type === 'status') console.log(`  ${message.status}`);
  const record = await client.getCampaign(accepted.id);
  expectEqual('job type', record.jobType, 'csv_import');
  expectEqual('status', record.status, 'completed');
  expectEqual('cells with a file', record.counts.succeeded, accepted.cells);
  expectEqual('cells that failed', record.counts.failed, 0);

  const cells: CampaignCell[] = [];
  for await (const cell of client.campaignCells(accepted.id)) cells.push(cell);
  expectEqual('cells listed', cells.length, accepted.cells);
  const names = new Set(cells.map((cell) => `${cell.locale}/${cell.variant}/${cell.size}`));
  expectEqual('different names', names.size, cells.length);
  console.log(`Rendered within ${Math.round(performance.now() - startedAt)} ms`);
  const rows = await Promise.all(cells.map(async (cell) => checkCell(cell)));
  console.log(formatTable(rows));

  async function checkCell(cell: CampaignCell): Promise<Record<string, string>> {
    const size = sizes.find((one) => one.name === cell.size);
    const { file: output } = cell;
    const row = {
      line: String(cell.line),
      locale: cell.locale ?? '',
      variant: cell.variant,
      size: cell.size,
      status: cell.status,
      pixels: output === null ? '' : `${output.width}x${output.height}`,
      bytes: output === null ? '' : String(output.sizeInBytes),
    };
    const what = `line ${cell.line}, ${cell.size}`;
    if (output === null) {
      misses.push(`${what}: ${cell.status} ${cell.error?.code ?? ''} ${cell.error?.message ?? ''}`);
      return row;
    }
    if (row.pixels !== `${size?.width}x${size?.height}`) misses.push(`${what}: has ${row.pixels} pixels`);
    // Rejects where other bytes arrive than were stored.
    const written = await client.download(output.fileId, join(folder, `${output.fileId}.png`));
    if (written.sizeInBytes !== output.sizeInBytes)
      misses.push(`${what}: ${written.sizeInBytes} bytes arrived`);
    return row;
  }
};

const folder = await mkdtemp(join(tmpdir(), 'rendermill-import-'));
let service: FoundService | undefined;
try {
  service = await findService(values, folder);
  await importAndCheck(service, folder);
  if (misses.length > 0) throw new Error(`${misses.length} misses:\n  ${misses.join('\n  ')}`);
  console.log('The import is right.');
} catch (error) {
  console.error(`test-csv-import: ${error instanceof Error ? error.message : error}`);
  if (error instanceof ApiError && error.details !== undefined)
    console.error(JSON.stringify(error.details, null, 2));
  process.exitCode = 1;
} finally {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
}
