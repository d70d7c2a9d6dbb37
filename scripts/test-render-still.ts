/**
 * Renders one still and checks the file to the last byte.
 *
 *   node --import tsx scripts/test-render-still.ts                        starts a service of its own, and stops it afterwards
 *   node --import tsx scripts/test-render-still.ts --url URL --key KEY    through one that runs (RENDERMILL_URL, RENDERMILL_API_KEY)
 *   … --composition ID --output FILE                                      another composition; keep the file
 *
 * Exit code 1 on any miss.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Client, createClient } from '../src/client/client.ts';
import type { ExportFile } from '../src/client/types.ts';
import { type FoundService, findService } from './support/find-service.ts';

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const expectEqual = (what: string, found: unknown, expected: unknown) => {
  if (found !== expected) throw new Error(`${what}: found ${found}, expected ${expected}`);
  console.log(`  ok  ${what}: ${found}`);
};

/** Against the record: what lies on this disk is what the service says that it rendered. */
const checkPng = (bytes: Buffer, file: ExportFile) => {
  expectEqual('PNG signature', bytes.subarray(0, 8).equals(pngSignature), true);
  expectEqual('first chunk', bytes.toString('latin1', 12, 16), 'IHDR');
  expectEqual('width, pixels', bytes.readUInt32BE(16), file.width);
  expectEqual('height, pixels', bytes.readUInt32BE(20), file.height);
  expectEqual('last chunk', bytes.toString('latin1', bytes.length - 8, bytes.length - 4), 'IEND');
  expectEqual('size, bytes', bytes.length, file.sizeInBytes);
  expectEqual('SHA-256', createHash('sha256').update(bytes).digest('hex'), file.sha256);
};

const renderStill = async (client: Client, compositionId: string, path: string, kept: boolean) => {
  // A user of its own, so that nobody's daily limit is touched.
  const userId = `test-render-still-${randomUUID()}`;
  const startedAt = performance.now();
  const accepted = await client.render({
    userId,
    projectId: 'test-render-still',
    compositionId,
    kind: 'still',
    format: 'png',
  });
  console.log(`Accepted ${accepted.id}: ${compositionId}, version ${accepted.version}`);
  for await (const message of client.watch(accepted.id)) {
    console.log(
      message.type === 'status'
        ? `  ${message.status}`
        : `  ${message.stage} ${Math.floor(message.percent)} %`,
    );
  }
  const record = await client.get(accepted.id);
  if (record.file === null)
    throw new Error(`The export is ${record.status}: ${record.error?.code} ${record.error?.message}`);
  await client.download(record.file.fileId, path);
  const tookMs = Math.round(performance.now() - startedAt);
  // Without --output the file is gone when this ends.
  console.log(`Downloaded after ${tookMs} ms${kept ? `: ${path}` : ''}`);
  expectEqual('status', record.status, 'completed');
  expectEqual('media type', record.file.mediaType, 'image/png');
  checkPng(await readFile(path), record.file);
};

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.RENDERMILL_URL },
    key: { type: 'string', default: process.env.RENDERMILL_API_KEY },
    composition: { type: 'string', default: 'product-card' },
    output: { type: 'string' },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'rendermill-still-'));
let service: FoundService | undefined;
try {
  service = await findService(values, folder);
  await renderStill(
    createClient(service),
    values.composition,
    resolve(values.output ?? join(folder, 'still.png')),
    values.output !== undefined,
  );
  console.log('The still is right.');
} catch (error) {
  console.error(`test-render-still: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
}
