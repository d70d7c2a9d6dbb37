/**
 * Renders a campaign of 3 variants × 3 sizes and checks every file to the last byte.
 *
 *   node --import tsx scripts/test-campaign-generator.ts                        starts a service of its own, and stops it afterwards
 *   node --import tsx scripts/test-campaign-generator.ts --url URL --key KEY    through one that runs (RENDERMILL_URL, RENDERMILL_API_KEY)
 *
 * Exit code 1 on any miss.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/apps/cli/table.ts';
import type { CampaignOutput } from '../src/client/campaign-types.ts';
import { type Client, createClient } from '../src/client/client.ts';
import { type FoundService, findService } from './support/find-service.ts';

const sizes = [
  { name: 'square', width: 540, height: 540, device: 'phone' },
  { name: 'portrait', width: 432, height: 540, device: 'tablet' },
  { name: 'banner', width: 600, height: 314, device: 'desktop' },
];
const variants = [
  { name: 'lamp', locale: 'en', props: { productName: 'Lamp' } },
  { name: 'chair', locale: 'en', props: { productName: 'Chair' } },
  { name: 'lampe', locale: 'de', props: { productName: 'Lampe' } },
];

/** What is wrong with the file; empty: nothing. */
const faultsOf = (bytes: Buffer, { file, size }: CampaignOutput): string[] => {
  const asked = sizes.find(({ name }) => name === size);
  const checks: [string, unknown, unknown][] = [
    ['first chunk', bytes.toString('latin1', 12, 16), 'IHDR'],
    ['width', bytes.readUInt32BE(16), asked?.width],
    ['height', bytes.readUInt32BE(20), asked?.height],
    ['last chunk', bytes.toString('latin1', bytes.length - 8, bytes.length - 4), 'IEND'],
    ['bytes', bytes.length, file.sizeInBytes],
    ['SHA-256', createHash('sha256').update(bytes).digest('hex'), file.sha256],
  ];
  return checks.flatMap(([what, found, expected]) =>
    found === expected ? [] : [`${what}: found ${found}, expected ${expected}`],
  );
};

const generate = async (client: Client, folder: string): Promise<void> => {
  // A user of its own, so that nobody's daily limit is touched.
  const userId = `test-campaign-generator-${randomUUID()}`;
  await client.putUser(userId, { tier: 'pro' });
  const startedAt = performance.now();
  const result = await client.generateCampaign(
    {
      userId,
      projectId: 'test-campaign-generator',
      compositionId: 'product-card',
      format: 'png',
      sizes,
      variants,
      reuse: false,
    },
    { onProgress: ({ done, total }) => console.log(`  ${done} of ${total}`) },
  );
  console.log(
    `Campaign ${result.batchId}: ${result.totalRendered} files in ${Math.round(performance.now() - startedAt)} ms`,
  );
  const rows = [];
  let faults = 0;
  for (const output of result.outputs) {
    const path = join(folder, output.fileId);
    await client.download(output.fileId, path);
    const found = faultsOf(await readFile(path), output);
    faults += found.length;
    rows.push({
      variant: output.variant,
      locale: output.locale ?? '',
      size: output.size,
      pixels: `${output.file.width}x${output.file.height}`,
      bytes: String(output.file.sizeInBytes),
      sha256: output.file.sha256.slice(0, 12),
      check: found.length === 0 ? 'ok' : found.join('; '),
    });
  }
  console.log(formatTable(rows));
  for (const { variant, size, error } of result.failures)
    console.log(`  ${variant} in ${size}: ${error.code} ${error.message}`);
  const expected = variants.length * sizes.length;
  if (result.outputs.length !== expected)
    throw new Error(`${result.outputs.length} files came, expected ${expected}`);
  if (faults > 0) throw new Error(`${faults} check(s) failed`);
  const distinct = new Set(result.outputs.map(({ file }) => file.sha256)).size;
  if (distinct !== expected) throw new Error(`only ${distinct} of ${expected} files differ from each other`);
};

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.RENDERMILL_URL },
    key: { type: 'string', default: process.env.RENDERMILL_API_KEY },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'rendermill-campaign-'));
let service: FoundService | undefined;
try {
  service = await findService(values, folder);
  await generate(createClient(service), folder);
  console.log('Every file is right.');
} catch (error) {
  console.error(`test-campaign-generator: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
}
