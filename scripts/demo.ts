/**
 * The main job on real input, as a tenant's backend would do it: renders ads and a video with sound through a service of its own,
 * downloads the files over HTTP, turns a product list into a campaign of every size and language and that into one ZIP, shows a
 * user of the free tier at their limit, and prints what was rendered, metered and recorded.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ApiError } from '../src/client/api-error.ts';
import { type Client, createClient } from '../src/client/client.ts';
import type { ExportRecord, RenderOrder } from '../src/client/types.ts';
import { runDemoCampaign } from './support/demo-campaign.ts';
import { bar, createProgressLine } from './support/demo-progress.ts';
import { type Service, startService } from './support/start-service.ts';

/** Kept between runs, so that a second one finds the database and the bundle warm; apart from the folder of `npm start`. */
const home = resolve('.rendermill', 'demo');
const downloads = join(home, 'downloads');
const projectId = 'autumn-launch';
/** Fresh users each time: yesterday's demo does not use up today's limit. */
const run = Date.now().toString(36);
const ada = `ada-${run}`;
const bob = `bob-${run}`;

const say = (text = '') => console.log(text);
const heading = (text: string) => say(`\n── ${text} ${'─'.repeat(Math.max(0, 90 - text.length))}`);

const orders: ReadonlyArray<{ title: string; order: Omit<RenderOrder, 'userId' | 'projectId'> }> = [
  { title: 'hero ad, square', order: { compositionId: 'example-hero-ad', kind: 'still', format: 'png' } },
  {
    title: 'hero ad, story',
    order: {
      compositionId: 'example-hero-ad',
      kind: 'still',
      format: 'jpeg',
      quality: 90,
      width: 1080,
      height: 1920,
      props: { palette: 'fjord', accentColor: '#3d7bf2' },
    },
  },
  {
    title: 'product card, German',
    order: {
      compositionId: 'product-card',
      kind: 'still',
      format: 'webp',
      props: {
        locale: 'de-DE',
        productName: 'Tala Taschenradio',
        description: 'Von Hand gestimmtes UKW in recyceltem Aluminium. Dreißig Stunden mit einer Ladung.',
        price: 129.9,
        oldPrice: 159.9,
      },
    },
  },
  {
    title: 'product card, Arabic',
    order: {
      compositionId: 'product-card',
      kind: 'still',
      format: 'png',
      props: {
        locale: 'ar-EG',
        currency: 'EGP',
        productName: 'راديو تالا للجيب',
        description: 'راديو إف إم مضبوط يدويًا في غلاف من الألومنيوم المعاد تدويره.',
        price: 6490,
        oldPrice: 7990,
      },
    },
  },
  {
    title: 'promo video, 6 s with sound',
    order: { compositionId: 'promo-video', kind: 'video', format: 'mp4', width: 1280, height: 720 },
  },
];

const follow = async (client: Client, title: string, id: string): Promise<ExportRecord> => {
  let changes = 0;
  const progress = createProgressLine(title);
  for await (const message of client.watch(id)) {
    if (message.type === 'progress') {
      changes += 1;
      const left = message.timeLeftMs === null ? '' : `, ${Math.ceil(message.timeLeftMs / 1000)} s left`;
      const frames =
        message.totalFrames > 1 ? `, frame ${message.renderedFrames} of ${message.totalFrames}${left}` : '';
      // A still has no quarters worth a line.
      const shown = message.totalFrames > 1 ? message.percent : 0;
      progress.show(`${bar(message.percent)}  ${message.stage}${frames}`, shown);
    }
  }
  const record = await client.get(id);
  if (record.status !== 'completed')
    throw new Error(`${title}: ${record.status}: ${record.error?.message ?? 'no reason given'}`);
  const took = Date.parse(record.completedAt ?? '') - Date.parse(record.startedAt ?? '');
  const reports = `${changes} progress report${changes === 1 ? '' : 's'}`;
  progress.end(`${bar(100)}  ${(took / 1000).toFixed(1)} s, ${reports}`);
  return record;
};

const renderAll = async (client: Client) => {
  heading('Rendering for Ada, tier pro');
  await client.putUser(ada, { tier: 'pro' });
  await client.putProject(projectId, { name: 'Autumn launch' });
  const accepted = [];
  for (const { title, order } of orders) {
    const acceptance = await client.render(
      { ...order, userId: ada, projectId },
      { idempotencyKey: `${run}-${title}` },
    );
    accepted.push({ title, ...acceptance });
  }
  say(
    `  ${accepted.length} renders accepted; ${accepted.at(-1)?.remaining} of ${accepted.at(-1)?.limit} exports remain today`,
  );
  const records = [];
  for (const { title, id } of accepted) records.push({ title, record: await follow(client, title, id) });
  return records;
};

const downloadAll = async (
  client: Client,
  records: ReadonlyArray<{ title: string; record: ExportRecord }>,
) => {
  heading('Downloading over HTTP, checked against the recorded SHA-256');
  await mkdir(downloads, { recursive: true });
  for (const { record } of records) {
    if (record.file === null) throw new Error(`${record.id} has no file`);
    const path = join(downloads, `${record.compositionId}-${record.id.slice(-8)}.${record.format}`);
    const file = await client.download(record.file.fileId, path);
    const { width, height, durationSeconds } = record.file;
    const length = durationSeconds === null ? '' : `, ${durationSeconds} s`;
    say(
      `  ${relative('', path)}  ${width} × ${height}${length}, ${Math.ceil(file.sizeInBytes / 1024)} kB, sha256 ${file.sha256.slice(0, 12)}…`,
    );
  }
  const video = records.at(-1)?.record.file;
  if (!video) return;
  const link = await client.downloadLink(video.fileId, { expiresInSeconds: 60 });
  const part = await fetch(link.url, { headers: { range: 'bytes=0-99' } });
  say(`  a signed link without a key: ${part.status}, ${part.headers.get('content-range')}`);
};

const meetTheLimit = async (client: Client) => {
  heading('Bob, tier free: 3 exports a day');
  const small = {
    compositionId: 'example-hero-ad',
    kind: 'still',
    format: 'jpeg',
    width: 300,
    height: 250,
  } as const;
  const ids = [];
  for (let export_ = 1; export_ <= 4; export_++) {
    try {
      const { id, remaining } = await client.render({ ...small, userId: bob, projectId });
      ids.push(id);
      say(`  export ${export_}: accepted, ${remaining} remain`);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'daily_limit_reached') throw error;
      say(`  export ${export_}: refused with ${error.status} ${error.code}`);
      say(`            ${error.message}`);
    }
  }
  if (ids.length !== 3) throw new Error(`the free tier accepted ${ids.length} exports instead of 3`);
  for (const [index, id] of ids.entries()) await follow(client, `Bob's export ${index + 1}`, id);
};

interface UserStatistics {
  readonly totalExports: number;
  readonly completed: number;
  readonly cached: number;
  readonly successRate: number | null;
  readonly favoriteFormat: string | null;
  readonly totalDurationSeconds: number;
  readonly averageRenderMs: number | null;
  readonly bytes: number;
  readonly formats: ReadonlyArray<{ readonly format: string; readonly accepted: number }>;
  readonly limit: number | null;
  readonly remaining: number | null;
}

const printStatistics = async ({ url, key }: Service) => {
  heading("Ada's statistics");
  const answer = await fetch(`${url}/api/stats/user?userId=${ada}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  if (!answer.ok) throw new Error(`the statistics answered ${answer.status}: ${await answer.text()}`);
  const of = (await answer.json()) as UserStatistics;
  const formats = of.formats.map(({ format, accepted }) => `${format} ${accepted}`).join(', ');
  say(
    `  ${of.totalExports} exports, ${of.completed} completed, success rate ${(of.successRate ?? 0) * 100} %`,
  );
  say(`  formats: ${formats}; favourite: ${of.favoriteFormat}`);
  say(
    `  ${Math.ceil(of.bytes / 1024)} kB, ${of.totalDurationSeconds} s of footage, ${Math.round(of.averageRenderMs ?? 0)} ms of rendering on average`,
  );
  say(`  today: ${of.remaining} of ${of.limit} remain`);
};

const printRecords = async (client: Client, events: ReadonlyMap<string, number>) => {
  heading('Metered');
  for (const userId of [ada, bob]) {
    const { exports } = await client.exports({ userId, limit: 50 });
    say(
      `  ${userId}: ${exports.length} exports, ${exports.filter((one) => one.status === 'completed').length} completed`,
    );
  }
  heading('Recorded in the event log');
  for (const [name, count] of [...events].sort()) say(`  ${name.padEnd(26)} ${count}`);
};

const main = async () => {
  const startedAt = Date.now();
  const events = new Map<string, number>();
  await rm(downloads, { recursive: true, force: true });
  heading('Starting the service');
  const service = await startService({
    home,
    environment: { WORKER_CONCURRENCY: '1' },
    onLine: (line) => {
      const name = /^\d{4}-\d\d-\d\dT\S+ {2}\S+ {2}(\w+)/.exec(line)?.[1];
      if (name !== undefined) events.set(name, (events.get(name) ?? 0) + 1);
    },
  });
  const interrupted = () => service.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    say(`  ${service.url}, after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    const client = createClient(service);
    const records = await renderAll(client);
    await downloadAll(client, records);
    heading('A campaign from a CSV: 3 products × 2 languages × 4 sizes');
    await runDemoCampaign({ client, userId: ada, projectId, folder: downloads, say });
    await meetTheLimit(client);
    await printStatistics(service);
    await printRecords(client, events);
  } finally {
    await service.stop();
  }
  heading('Done');
  say(`  files: ${relative('', downloads)}/    database, bundles, stored files: ${relative('', home)}/`);
  say(`  everything that was started has ended; ${((Date.now() - startedAt) / 1000).toFixed(1)} s in all`);
};

await main();
