/** The demo's campaign: a shop's product list becomes pictures in every size and language, and those one ZIP. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { CampaignRecord } from '../../src/client/campaign-types.ts';
import type { Client } from '../../src/client/client.ts';
import type { CsvImportOrder } from '../../src/client/import-types.ts';
import { demoProducts, demoSizes } from './demo-products.ts';
import { bar, createProgressLine } from './demo-progress.ts';
import { unpackArchive } from './unpack-archive.ts';

const shownNames = 3;

interface Demo {
  readonly client: Client;
  readonly userId: string;
  readonly projectId: string;
  /** Where ZIP and pictures are put. */
  readonly folder: string;
  readonly say: (text?: string) => void;
}

const orderOf = ({ userId, projectId }: Demo): CsvImportOrder => ({
  userId,
  projectId,
  campaignId: `radios-${userId}`,
  compositionId: 'product-card',
  format: 'png',
  sizes: [...demoSizes],
  nameColumn: 'sku',
  decimal: 'comma',
  onError: 'skip',
  // A second demo would find every picture of the first one there, and have no progress to show.
  reuse: false,
});

/** The dry run first: what would be rendered, what would be left out and why, and whether the limit allows it. */
const importProducts = async (demo: Demo): Promise<string> => {
  const { client, say } = demo;
  const file = new Blob([demoProducts]);
  const plan = await client.planCsvImport(file, orderOf(demo));
  const delimiter = plan.delimiter === ';' ? 'semicolons' : plan.delimiter;
  say(`  dry run: ${plan.rows} rows (${plan.encoding}, ${delimiter}), ${plan.accepted} would be rendered`);
  for (const { line, column, reason, value } of plan.problems)
    say(`    line ${line}, ${column ?? 'the row'}: ${reason}${value === undefined ? '' : ` (${value})`}`);
  say(
    `    ${plan.cells} pictures of ${plan.remaining} that remain today: ${plan.allowed ? 'allowed' : plan.refusal?.message}`,
  );
  const { id, cells, remaining } = await client.importCsv(file, orderOf(demo));
  say(`  imported: ${cells} pictures reserved at once, ${remaining} exports remain today`);
  return id;
};

const followCampaign = async ({ client }: Demo, id: string): Promise<CampaignRecord> => {
  const line = createProgressLine('the campaign');
  const begun = performance.now();
  for await (const message of client.watchCampaign(id)) {
    if (message.type !== 'progress') continue;
    const { done, total, failed, secondsLeft } = message;
    const percent = (done / total) * 100;
    const left = secondsLeft === null || done === total ? '' : `, ${Math.ceil(secondsLeft)} s left`;
    line.show(
      `${bar(percent)}  ${done} of ${total} pictures${failed > 0 ? `, ${failed} failed` : ''}${left}`,
      percent,
    );
  }
  const record = await client.getCampaign(id);
  const { succeeded, total } = record.counts;
  if (succeeded !== total) throw new Error(`${succeeded} of ${total} pictures were rendered`);
  const seconds = (performance.now() - begun) / 1000;
  line.end(`${bar(100)}  ${total} pictures in ${seconds.toFixed(1)} s, ${record.rendering?.how}`);
  return record;
};

/** Against the manifest: what lies on this disk now is what was rendered. */
const downloadCampaign = async ({ client, folder, say }: Demo, record: CampaignRecord): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const zip = join(folder, 'campaign.zip');
  const { sizeInBytes } = await client.downloadArchive(
    { campaignId: record.id, layout: 'locale-first', manifest: true },
    zip,
  );
  say(`  ${relative('', zip)}  ${Math.ceil(sizeInBytes / 1024)} kB, locale-first`);
  const pictures = join(folder, 'campaign');
  await rm(pictures, { recursive: true, force: true });
  const { verdict, files, manifest } = await unpackArchive(zip, pictures);
  say(`  unzip -t: ${verdict}`);
  const wrong = files.filter(({ sha256, foundSha256 }) => sha256 !== foundSha256);
  if (wrong.length > 0 || files.length !== record.counts.total)
    throw new Error(`${files.length} files, of which ${wrong.length} are not what the manifest says`);
  say(
    `  manifest: ${files.length} files with the SHA-256 that it says, ${manifest.failures.length} failures`,
  );
  const folders = [...new Set(files.map(({ path }) => dirname(path)))].sort();
  for (const name of folders) {
    const inside = files.filter(({ path }) => dirname(path) === name).map(({ path }) => basename(path));
    const more = inside.length > shownNames ? `  … ${inside.length} files` : '';
    say(`    ${name.padEnd(14)} ${inside.slice(0, shownNames).join('  ')}${more}`);
  }
};

export const runDemoCampaign = async (demo: Demo): Promise<void> => {
  const id = await importProducts(demo);
  await downloadCampaign(demo, await followCampaign(demo, id));
};
