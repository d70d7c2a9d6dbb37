import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CampaignOrder, CampaignRecord } from '../../../src/client/campaign-types.ts';
import { unpackArchive } from '../unpack-archive.ts';
import { checkRendered, eventsNamed, isTime } from './check-rendered.ts';
import type { Scene } from './scene.ts';

const who = { userId: 'team', projectId: 'core-value' } as const;

const sizes = [
  { name: 'square', width: 600, height: 600, device: 'feed' },
  { name: 'banner', width: 728, height: 90, device: 'web' },
  { name: 'story', width: 540, height: 960, device: 'phone' },
];

const order: CampaignOrder = {
  ...who,
  campaignId: 'autumn',
  compositionId: 'example-hero-ad',
  format: 'png',
  sizes,
  variants: [
    { name: 'dusk', locale: 'en', props: { headline: 'Light that knows the hour' } },
    { name: 'moss', locale: 'de', props: { headline: 'Licht, das die Stunde kennt', palette: 'moss' } },
  ],
};

export const checkBatches = async (scene: Scene): Promise<void> => {
  await scene.client.putUser(who.userId, { tier: 'unlimited' });
  await checkOneItem(scene);
  await checkCampaign(scene);
  await checkReuse(scene);
  await checkPartialSuccess(scene);
  await checkImport(scene);
};

const batchEvents = ['batch_started', 'batch_completed', 'batch_failed', 'batch_cancelled'];

/** Waits until its close is in the log, where it has events at all. */
const follow = async ({ client, log }: Scene, id: string): Promise<CampaignRecord> => {
  for await (const _message of client.watchCampaign(id));
  const record = await client.getCampaign(id);
  await log.readUntil(
    (events) =>
      eventsNamed(events, 'processing_completed', { batchId: id }).length >= record.counts.succeeded &&
      (record.counts.total === 1 || eventsNamed(events, 'batch_completed', { jobId: id }).length > 0),
  );
  return record;
};

/** The batch's exports with their files, out of its archive. */
const unpack = async ({ client, folder }: Scene, record: CampaignRecord) => {
  const zip = join(folder, `${record.id}.zip`);
  await client.downloadArchive({ campaignId: record.id, layout: 'locale-first', manifest: true }, zip);
  const archive = await unpackArchive(zip, join(folder, record.id));
  const { exports } = await client.exports({ batchId: record.id, limit: 100 });
  const files = archive.files.flatMap(({ exportId, bytes }) => {
    const export_ = exports.find(({ id }) => id === exportId);
    return export_ === undefined ? [] : [{ record: export_, bytes }];
  });
  return { ...archive, rendered: files, zipBytes: (await stat(zip)).size };
};

const checkOneItem = async (scene: Scene): Promise<void> => {
  const { client, log, list } = scene;
  const one = { ...order, campaignId: 'one', sizes: sizes.slice(1, 2), variants: order.variants.slice(0, 1) };
  const { id } = await client.createCampaign(one);
  const record = await follow(scene, id);
  const { rendered } = await unpack(scene, record);
  list.heading('A campaign of one item');
  checkRendered(list, log.events, rendered, { cached: false });
  for (const name of batchEvents) list.check(name, eventsNamed(log.events, name, { jobId: id }).length, 0);
};

interface BatchFacts {
  readonly jobType: 'campaign' | 'csv_import';
  readonly campaignId: string;
  readonly compositionId: string;
  readonly successCount: number;
  readonly failCount: number;
  readonly variantCount: number;
  readonly sizeCount: number;
  readonly cachedCount: number;
}

const checkCompleted = ({ log, list }: Scene, record: CampaignRecord, facts: BatchFacts): void => {
  const { id } = record;
  const counts = batchEvents.map((name) => eventsNamed(log.events, name, { jobId: id }).length);
  list.check('batch_started, completed, failed, cancelled', counts, [1, 1, 0, 0]);
  const [completed] = eventsNamed(log.events, 'batch_completed', { jobId: id });
  const found = completed?.properties ?? {};
  const expected: Record<string, unknown> = {
    jobId: id,
    ...facts,
    totalItems: facts.variantCount * facts.sizeCount,
    run: 1,
    projectId: who.projectId,
  };
  for (const [name, value] of Object.entries(expected)) {
    // Where there are none, the count may be left out.
    const isNone = name === 'cachedCount' && value === 0 && found[name] === undefined;
    list.check(`batch_completed: ${name}`, isNone ? 0 : found[name], value);
  }
  const [run] = record.runs;
  const between = Date.parse(run?.closedAt ?? '') - Date.parse(run?.startedAt ?? '');
  list.check('batch_completed: duration, from first start to close', found.duration, between);
  list.fits('batch_completed: timestamp', found.timestamp, 'ISO 8601 of this hour', isTime(found.timestamp));
  list.check('batch_completed: envelope: user', completed?.userId, who.userId);
  const renders = eventsNamed(log.events, 'video_rendered', { batchId: id });
  list.check('video_rendered of the batch: one for each success', renders.length, facts.successCount);
};

const campaignFacts = {
  jobType: 'campaign',
  campaignId: 'autumn',
  compositionId: 'example-hero-ad',
  successCount: 6,
  failCount: 0,
  variantCount: 2,
  sizeCount: 3,
  cachedCount: 0,
} as const;

const checkCampaign = async (scene: Scene): Promise<void> => {
  const { client, log, list } = scene;
  // One of the six is made by the campaign of one item before: without reuse all are rendered.
  const { id } = await client.createCampaign({ ...order, reuse: false });
  const record = await follow(scene, id);
  const archive = await unpack(scene, record);
  list.heading('A campaign of 2 variants × 3 sizes');
  checkRendered(list, log.events, archive.rendered, { cached: false });
  checkCompleted(scene, record, campaignFacts);
  list.check(
    'first_render_completed of its user, ever',
    eventsNamed(log.events, 'first_render_completed').filter(({ userId }) => userId === who.userId).length,
    1,
  );
  await log.readUntil((events) => eventsNamed(events, 'download_completed', { batchId: id }).length > 0);
  list.heading('Its ZIP');
  list.fits('unzip -t', archive.verdict, 'no errors', archive.verdict.startsWith('No errors'));
  list.check(
    'manifest: SHA-256, of the bytes that unzip unpacked',
    archive.files.map(({ sha256 }) => sha256),
    archive.files.map(({ foundSha256 }) => foundSha256),
  );
  for (const name of ['export_downloaded', 'download_completed']) {
    const found = eventsNamed(log.events, name, { batchId: id });
    const [properties = {}] = found.map((event) => event.properties);
    list.check(`${name}`, found.length, 1);
    list.check(`${name}: exportType`, properties.exportType, 'zip');
    list.check(`${name}: fileCount, without the manifest`, properties.fileCount, archive.files.length);
    list.check(`${name}: sizeInBytes, of the ZIP on this disk`, properties.sizeInBytes, archive.zipBytes);
    list.fits(`${name}: timestamp`, properties.timestamp, 'ISO 8601', isTime(properties.timestamp));
    if (name === 'download_completed') continue;
    list.check(`${name}: organizationStrategy`, properties.organizationStrategy, 'locale-first');
    list.check(`${name}: includesManifest`, properties.includesManifest, true);
  }
};

const checkReuse = async (scene: Scene): Promise<void> => {
  const { client, log, list } = scene;
  const { id } = await client.createCampaign(order);
  const record = await follow(scene, id);
  const { rendered } = await unpack(scene, record);
  list.heading('The same campaign again: every file is there');
  checkRendered(list, log.events, rendered, { cached: true });
  checkCompleted(scene, record, { ...campaignFacts, cachedCount: 6 });
};

const checkPartialSuccess = async (scene: Scene): Promise<void> => {
  const { client, list } = scene;
  const [good, bad] = [{ headline: 'There' }, { headline: 'Not there', image: 'not-there.png' }];
  const { id } = await client.createCampaign({
    ...order,
    campaignId: 'partly',
    sizes: sizes.slice(0, 2),
    variants: [
      { name: 'good', props: good },
      { name: 'bad', props: bad },
    ],
  });
  const record = await follow(scene, id);
  list.heading('A campaign in which a picture is missing');
  checkCompleted(scene, record, {
    ...campaignFacts,
    campaignId: 'partly',
    successCount: 2,
    failCount: 2,
    sizeCount: 2,
  });
};

const checkImport = async (scene: Scene): Promise<void> => {
  const { client, log, list } = scene;
  const csv = 'sku;locale;productName;price\ntala;de;Tala Taschenradio;129,90\nmora;de;Mora Lampe;89,00\n';
  const { id } = await client.importCsv(new Blob([csv]), {
    ...who,
    campaignId: 'spring-list',
    compositionId: 'product-card',
    format: 'jpeg',
    sizes: sizes.slice(0, 2),
    nameColumn: 'sku',
    decimal: 'comma',
  });
  const record = await follow(scene, id);
  const { rendered } = await unpack(scene, record);
  list.heading('A CSV of 2 rows × 2 sizes');
  checkRendered(list, log.events, rendered, { cached: false });
  checkCompleted(scene, record, {
    jobType: 'csv_import',
    campaignId: 'spring-list',
    compositionId: 'product-card',
    successCount: 4,
    failCount: 0,
    variantCount: 2,
    sizeCount: 2,
    cachedCount: 0,
  });
};
