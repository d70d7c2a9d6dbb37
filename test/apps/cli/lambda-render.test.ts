import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type AwsRegion, getRenderProgress, renderMediaOnLambda } from '@remotion/lambda-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkLambda } from '../../../src/apps/cli/doctor/check-lambda.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { openWorkshop, type Workshop } from '../../platform/renderer/local/support.ts';
import { startTestApi, type TestApi } from '../../support/api.ts';
import { describeSandboxed } from '../../support/aws/sandbox/describe-sandboxed.ts';
import { type AwsEmulator, startAws } from '../../support/aws/start-aws.ts';
import { clientOf } from '../../support-aws/s3-client.ts';
import { jsonOf, runCommand } from './run-command.ts';

const region: AwsRegion = 'us-east-1';
const secret = 'a-secret-of-the-operator';

await describeSandboxed("What lambda deploy prepares, with Remotion's own function,", () => {
  let aws: AwsEmulator;
  let workshop: Workshop;
  let api: TestApi;
  const heard: string[] = [];
  const before = { ...process.env };

  beforeAll(async () => {
    workshop = await openWorkshop();
    aws = await startAws({ timeoutSeconds: 240 });
    Object.assign(process.env, aws.environment);
    api = await startTestApi({ environment: { LAMBDA_WEBHOOK_SECRET: secret } });
    api.listener.on('rendermill_lambda', (renderId) => void heard.push(renderId));
  });
  afterAll(async () => {
    process.env = before;
    await api.close();
    await workshop.remove();
    await aws.stop();
  });

  const deploy = async (): Promise<Record<string, string>> =>
    jsonOf(await runCommand(['lambda', 'deploy', '--json'])).variables as Record<string, string>;

  const upload = async (bucket: string): Promise<string> => {
    const client = clientOf(aws.s3);
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
    for (const file of await readdir(workshop.bundlePath, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: `sites/one/${relative(workshop.bundlePath, path)}`,
          Body: await readFile(path),
          ContentType: types[file.name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
        }),
      );
    }
    return `${await aws.s3.serveBucketAtRoot(bucket)}/sites/one/index.html`;
  };

  const statusOf = async (bucket: string, key: string): Promise<number> =>
    (await fetch(`${aws.s3.url}/${bucket}/${key}`)).status;

  it('renders, keeps progress and file from strangers, and tells the API of the end', async () => {
    const variables = await deploy();
    const { LAMBDA_FUNCTION: functionName = '', LAMBDA_BUCKET: bucketName = '' } = variables;
    expect(functionName).toBe(aws.functionName);
    const serveUrl = await upload(bucketName);
    const { renderId } = await renderMediaOnLambda({
      region,
      functionName,
      serveUrl,
      forceBucketName: bucketName,
      privacy: 'no-acl',
      composition: 'tone',
      inputProps: {},
      codec: 'h264',
      framesPerLambda: 15,
      outName: { bucketName, key: 'outputs/one.mp4' },
      webhook: { url: `${api.url}/api/lambda/webhook`, secret, customData: { render: 'one' } },
    });
    await vi.waitFor(() => expect(heard).toEqual([renderId]), { timeout: 90_000, interval: 200 });

    const progress = await getRenderProgress({
      renderId,
      bucketName,
      functionName,
      region,
      skipLambdaInvocation: true,
    });
    expect(progress).toMatchObject({ done: true, outKey: 'outputs/one.mp4', errors: [] });
    expect(await statusOf(bucketName, 'outputs/one.mp4')).toBe(403);
    expect(await statusOf(bucketName, `renders/${renderId}/progress.json`)).toBe(403);
    expect(await statusOf(bucketName, 'sites/one/index.html')).toBe(200);

    const found = await checkLambda(loadConfig(variables));
    expect(found.filter(({ name }) => name !== 'lambda slots').map(({ status }) => status)).toEqual([
      'ok',
      'ok',
    ]);
  }, 120_000);
});
