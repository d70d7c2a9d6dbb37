import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AwsRegion,
  getRenderProgress,
  presignUrl,
  type RenderProgress,
  renderMediaOnLambda,
  renderStillOnLambda,
} from '@remotion/lambda-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorkshop, type Workshop } from '../platform/renderer/local/support.ts';
import { publishSite } from '../support/aws/publish-site.ts';
import { canSandboxBy } from '../support/aws/sandbox/can-sandbox.ts';
import { describeSandboxed } from '../support/aws/sandbox/describe-sandboxed.ts';
import { findProcesses } from '../support/aws/sandbox/find-processes.ts';
import { type AwsEmulator, startAws } from '../support/aws/start-aws.ts';

const region: AwsRegion = 'us-east-1';
const bucketName = 'renders';

await describeSandboxed("Remotion's own function, unmodified,", () => {
  let aws: AwsEmulator;
  let workshop: Workshop;
  let serveUrl: string;
  let canary: string;

  beforeAll(async () => {
    // What it does to /tmp at each invocation must not reach the machine's.
    canary = await mkdtemp('/tmp/rendermill-canary-');
    await writeFile(join(canary, 'file'), 'alive');
    workshop = await openWorkshop();
    aws = await startAws();
    Object.assign(process.env, aws.environment);
    serveUrl = await publishSite(aws, bucketName, 'torture', workshop.bundlePath);
  });

  afterAll(async () => {
    await aws.stop();
    await workshop.remove();
    await rm(canary, { recursive: true });
  });

  const common = () => ({
    region,
    functionName: aws.functionName,
    serveUrl,
    privacy: 'private' as const,
    forceBucketName: bucketName,
  });

  const untilDone = async (renderId: string): Promise<RenderProgress> => {
    for (;;) {
      const progress = await getRenderProgress({
        renderId,
        bucketName,
        functionName: aws.functionName,
        region,
        skipLambdaInvocation: true,
      });
      if (progress.fatalErrorEncountered)
        throw new Error([...progress.errors.map(({ message }) => message), ...aws.lambda.logs].join('\n'));
      if (progress.done) return progress;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  const download = async (objectKey: string): Promise<string> => {
    const url = await presignUrl({ region, bucketName, objectKey, expiresInSeconds: 60 });
    const path = join(tmpdir(), `rendermill-download-${process.pid}.${objectKey.split('.').at(-1)}`);
    await writeFile(path, Buffer.from(await (await fetch(url)).arrayBuffer()));
    return path;
  };

  const probe = async (path: string): Promise<Record<string, string | number>[]> => {
    const entries = 'stream=codec_name,width,height,nb_read_frames,sample_rate';
    const { stdout } = await promisify(execFile)('ffprobe', [
      ...['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', path],
    ]);
    return (JSON.parse(stdout) as { streams: Record<string, string | number>[] }).streams;
  };

  test('renders a still, a video of three chunks with sound, and leaves the real /tmp alone', async () => {
    const still = await renderStillOnLambda({
      ...common(),
      composition: 'picture',
      inputProps: { title: 'from afar' },
      imageFormat: 'png',
    });
    const stillPath = await download(still.outKey);
    expect(await probe(stillPath)).toMatchObject([{ codec_name: 'png', width: 320, height: 180 }]);

    const { renderId } = await renderMediaOnLambda({
      ...common(),
      composition: 'tone',
      inputProps: {},
      codec: 'h264',
      framesPerLambda: 10,
    });
    const progress = await untilDone(renderId);
    expect(progress).toMatchObject({ chunks: 3, framesRendered: 30, outBucket: bucketName, retriesInfo: [] });
    const videoPath = await download(progress.outKey ?? '');
    expect(await probe(videoPath)).toMatchObject([
      { codec_name: 'h264', width: 320, height: 180, nb_read_frames: '30' },
      { codec_name: 'aac', sample_rate: '48000' },
    ]);
    await Promise.all([rm(stillPath), rm(videoPath)]);

    const { invocations, coldStarts, peakConcurrency } = aws.lambda.statistics;
    const types = invocations.map(({ type }) => type).filter((type) => type !== 'launch');
    expect(types).toEqual(['still', 'start', 'renderer', 'renderer', 'renderer']);
    expect(invocations.every(({ error }) => error === null)).toBe(true);
    expect(peakConcurrency).toBe(4);
    expect(coldStarts).toBe(4);
    expect(await readFile(join(canary, 'file'), 'utf8')).toBe('alive');
    const anonymous = await fetch(`${aws.s3.url}/${bucketName}/${progress.outKey}`);
    expect(anonymous.status).toBe(403);
  }, 90_000);
});

await describeSandboxed('The processes of functions', () => {
  test('stay warm, are marked, and are gone with the emulator', async () => {
    const aws = await startAws();
    Object.assign(process.env, aws.environment);
    await rejectionOf(aws, 'nothing-there');
    await rejectionOf(aws, 'nothing-there');
    expect(aws.lambda.statistics.coldStarts).toBe(1);
    expect((await findProcesses(aws.marker)).length).toBeGreaterThan(0);
    await aws.stop();
    expect(await findProcesses(aws.marker)).toEqual([]);
  });

  test('can be kept in by unshare as well', async ({ skip }) => {
    const answer = await canSandboxBy('unshare');
    if (!answer.allowed) skip(`unshare may not make namespaces here: ${answer.reason}`);
    const canary = await mkdtemp('/tmp/rendermill-canary-');
    const aws = await startAws({ way: 'unshare' });
    Object.assign(process.env, aws.environment);
    try {
      // It was the function's own answer, not the death of its process.
      expect(await rejectionOf(aws, 'nothing-there')).toContain('Unhandled');
      expect(aws.lambda.statistics.invocations).toMatchObject([{ type: 'status', error: 'Unhandled' }]);
      expect(await readdir(canary)).toEqual([]);
    } finally {
      await aws.stop();
      await rm(canary, { recursive: true });
    }
    expect(await findProcesses(aws.marker)).toEqual([]);
  });
});

/** Asks the function itself, which looks into the bucket and finds nothing. */
const rejectionOf = async (aws: AwsEmulator, renderId: string): Promise<string> => {
  if (!aws.s3.buckets.has(bucketName)) aws.s3.createBucket(bucketName);
  try {
    await getRenderProgress({ renderId, bucketName, functionName: aws.functionName, region });
  } catch (error) {
    return String(error);
  }
  throw new Error('The function found a render that is not there.');
};
