import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Check } from '../../../src/apps/cli/doctor/check.ts';
import { checkLambda, judgeSlots } from '../../../src/apps/cli/doctor/check-lambda.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { type LocalAws, startLocalAws } from '../../platform/aws/local-aws.ts';
import { jsonOf, runCommand } from './run-command.ts';

// Remotion's packages and the SDK in them take long to load on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
beforeEach(() => {
  aws.s3.buckets.clear();
  aws.lambda.functions.clear();
});
afterEach(() => void aws.answers.splice(0));

const run = (args: string[], environment: Record<string, string> = {}) =>
  runCommand(['lambda', ...args], environment);
const region = 'us-east-1';
const bucketName = 'remotionlambda-useast1-mine';

const addSite = (name: string, lastModified: Date, text = 'page') =>
  aws.s3.buckets.get(bucketName)?.objects.set(`sites/${name}/index.html`, {
    body: Buffer.from(text),
    etag: '"0"',
    lastModified,
    headers: {},
    acl: 'private',
    storageClass: 'STANDARD',
    checksums: {},
  });

const size = { memoryMb: 2048, diskMb: 2048, timeoutSeconds: 240 };
const functionNamed = (version: string) =>
  aws.lambda.addFunction({
    name: `remotion-render-${version}-mem2048mb-disk2048mb-240sec`,
    region,
    ...size,
  }).name;

describe('lambda deploy', () => {
  it('prints what to set, and nothing else on stdout, and finds all of it the next time', async () => {
    const first = await run(['deploy', '--memory', '3008']);
    expect(first.err.join('\n')).toMatch(/Bucket .*: made; .*\nFunction .*: made/);
    expect(first.exitCode).toBe(0);
    expect(first.out).toEqual([
      'LAMBDA_REGION=us-east-1',
      expect.stringMatching(/^LAMBDA_FUNCTION=remotion-render-[\d-]+-mem3008mb-disk2048mb-240sec$/),
      expect.stringMatching(/^LAMBDA_BUCKET=remotionlambda-useast1-[0-9a-f]{12}$/),
    ]);
    const [, functionName, bucket] = first.out.map((line) => line.split('=')[1]);
    // Not valid as a configuration before it is deployed: this command is what makes it so.
    const again = await run(['deploy', '--memory', '3008', '--json'], { RENDER_MODE: 'lambda' });
    expect(jsonOf(again)).toEqual({
      variables: { LAMBDA_REGION: region, LAMBDA_FUNCTION: functionName, LAMBDA_BUCKET: bucket },
      made: { function: false, bucket: false },
      closed: [],
    });
  });

  it('prints policies that name the bucket and the function, without asking AWS', async () => {
    const before = aws.calls.length;
    const printed = await run(['deploy', '--print-policies', '--json'], { LAMBDA_BUCKET: bucketName });
    expect(Object.keys(jsonOf(printed))).toEqual(['role', 'trust', 'deployer', 'service']);
    expect(JSON.stringify(jsonOf(printed).service)).toContain(`arn:aws:s3:::${bucketName}/sites/*`);
    const shown = await run(['deploy', '--print-policies']);
    expect(shown.out.join('\n')).toContain('# Permissions of the role remotion-lambda-role');
    expect(shown.out.join('\n')).toContain('arn:aws:s3:::remotionlambda-useast1-*/sites/*');
    expect([aws.calls.length, aws.s3.buckets.size]).toEqual([before, 0]);
  });

  it.each([
    ['a region that there is not', ['--region', 'mars-1'], {}, /no AWS region "mars-1".*us-east-1/],
    ['a bucket that the role could not use', ['--bucket', 'mine'], {}, /must begin with remotionlambda-/],
    ['the bucket of finished files', ['--bucket', bucketName], { S3_BUCKET: bucketName }, /is S3_BUCKET/],
    ['too long a time', ['--timeout', '901'], {}, /--timeout must lie between 30 and 900 seconds/],
  ])('refuses %s', async (_what, args, environment, message) => {
    const refused = await run(['deploy', ...args], environment as Record<string, string>);
    expect(refused.exitCode).toBe(1);
    expect(refused.err.join('\n')).toMatch(message);
    expect(aws.s3.buckets.size).toBe(0);
  });

  it('says how to give credentials where there are none', async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, HOME } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    process.env.HOME = '/nowhere';
    try {
      const refused = await run(['deploy']);
      expect([refused.exitCode, refused.err.join('\n')]).toEqual([
        1,
        expect.stringContaining('Set AWS_ACCESS_KEY_ID'),
      ]);
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, HOME });
    }
  });
});

describe('lambda sites', () => {
  const old = new Date(Date.now() - 40 * 86_400_000);
  const sites = (...args: string[]) => run(['sites', ...args], { LAMBDA_BUCKET: bucketName });
  beforeEach(() => {
    aws.s3.createBucket(bucketName);
    addSite('old', old, 'x'.repeat(2_500_000));
    addSite('new', new Date());
  });

  it('lists them', async () => {
    const { out } = await sites();
    expect(out.join('\n')).toMatch(/site +size +files +age\nnew +4 B +1 +0 h\nold +2\.5 MB +1 +40 d/);
    expect(jsonOf(await sites('--json'))).toMatchObject({
      sites: [{ name: 'new', files: 1 }, { name: 'old' }],
    });
  });

  it('removes old ones, once that is confirmed', async () => {
    const asked = await sites('rm', '--older-than', '30d');
    expect([asked.exitCode, asked.out]).toEqual([1, ['1 site, 2.5 MB would be removed: add --yes.']]);
    expect(aws.s3.buckets.get(bucketName)?.keys()).toHaveLength(2);
    const done = await sites('rm', '--older-than', '30d', '--yes', '--json');
    expect(jsonOf(done)).toEqual({ sites: ['old'], removed: ['old'] });
    expect(aws.s3.buckets.get(bucketName)?.keys()).toEqual(['sites/new/index.html']);
  });

  it('removes those that are named, all or none', async () => {
    const refused = await sites('rm', 'new', 'none', '--yes');
    expect([refused.exitCode, refused.err.join()]).toEqual([1, expect.stringContaining('no site none')]);
    expect(aws.s3.buckets.get(bucketName)?.keys()).toHaveLength(2);
    expect((await sites('rm', 'new', 'old', '--yes')).out).toEqual(['Removed 2 sites, 2.5 MB.']);
    expect((await sites()).out.join()).toContain('There are no sites');
  });

  it('wants to know which, and where', async () => {
    expect((await sites('rm', '--yes')).err.join()).toContain('Name sites, or give --older-than');
    expect((await run(['sites'])).err.join()).toContain('LAMBDA_BUCKET is not set');
  });
});

describe('lambda rm', () => {
  it('removes the function only, and the bucket where it is asked to', async () => {
    aws.s3.createBucket(bucketName);
    addSite('a', new Date());
    const LAMBDA_FUNCTION = functionNamed('4-0-527');
    const environment = { LAMBDA_FUNCTION, LAMBDA_BUCKET: bucketName };
    const asked = await run(['rm', '--bucket'], environment);
    expect([asked.exitCode, asked.out]).toEqual([
      1,
      [
        `Would remove the function ${LAMBDA_FUNCTION} and the bucket ${bucketName} with 1 objects, 4 B: add --yes.`,
      ],
    ]);
    expect([aws.lambda.functions.size, aws.s3.buckets.size]).toEqual([1, 1]);
    await run(['rm', '--yes'], environment);
    expect([aws.lambda.functions.size, aws.s3.buckets.size]).toEqual([0, 1]);
    const last = await run(['rm', '--bucket', '--yes', '--json'], environment);
    expect(jsonOf(last).removed).toEqual({ function: false, bucket: true });
    expect(aws.s3.buckets.size).toBe(0);
  });

  it.each([
    ['another function', ['--function', 'billing'], {}, /no function of Remotion's/],
    ['no function at all', [], {}, /Say which function/],
    [
      'a bucket that was not made for it',
      ['--bucket'],
      { LAMBDA_BUCKET: 'backups' },
      /must begin with remotionlambda-/,
    ],
    [
      'the bucket of finished files',
      ['--bucket'],
      { LAMBDA_BUCKET: bucketName, S3_BUCKET: bucketName },
      /is S3_BUCKET/,
    ],
  ])('does not remove %s', async (_what, args, environment, message) => {
    const LAMBDA_FUNCTION = args.length === 0 ? '' : functionNamed('4-0-527');
    const refused = await run(['rm', ...args, '--yes'], {
      LAMBDA_FUNCTION,
      ...(environment as Record<string, string>),
    });
    expect([refused.exitCode, refused.err.join()]).toEqual([1, expect.stringMatching(message)]);
  });
});

const accountSettings = (UnreservedConcurrentExecutions: number) =>
  void aws.answers.push({
    method: 'GET',
    path: /account-settings/,
    status: 200,
    body: { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions } },
  });

it('lambda quotas says what LAMBDA_SLOTS may be', async () => {
  accountSettings(900);
  const { out } = await run(['quotas']);
  expect(out.join('\n')).toMatch(/concurrent functions +1000\n.*1000\n.*not reserved +900/);
  expect(out.join('\n')).toContain('LAMBDA_SLOTS is 1000, more than there are: set it to 900');
  expect(jsonOf(await run(['quotas', '--json'], { LAMBDA_SLOTS: '700' }))).toMatchObject({
    slots: { configured: 700, most: 900 },
    burstPerTenSeconds: 1000,
  });
});

describe('lambda estimate', () => {
  it('compares widths, those that Remotion takes', async () => {
    const { out } = await run(['estimate', '--frames', '600', '--ms-per-frame', '100']);
    const rows = (out[0] ?? '').split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows.map(([functions]) => functions)).toEqual(['functions', '1', '5', '20', '75']);
    expect(rows[1]).toEqual(['1', '63.0 s', '63.0 s', '2', expect.stringMatching(/^0\.00\d+$/)]);
    expect(rows[0]?.at(-1)).toBe('USD');
  });

  it('counts stills, and one width where it is asked for', async () => {
    const printed = await run([
      'estimate',
      '--stills',
      '40',
      '--functions',
      '8',
      '--region',
      'cn-north-1',
      '--json',
    ]);
    expect(jsonOf(printed)).toMatchObject({
      currency: 'CNY',
      estimates: [{ functions: 8, invocations: 40 }],
    });
  });

  it.each([
    ['neither', [], /either --frames or --stills/],
    ['both', ['--frames', '9', '--stills', '9'], /either --frames or --stills/],
    ['too many functions', ['--frames', '90', '--functions', '30'], /at least 5 frames/],
  ])('refuses %s', async (_what, args, message) => {
    const refused = await run(['estimate', ...args]);
    expect([refused.exitCode, refused.err.join()]).toEqual([1, expect.stringMatching(message)]);
  });
});

describe('doctor', () => {
  const check = async (variables: Record<string, string>): Promise<Record<string, Check>> => {
    const config = loadConfig({
      LAMBDA_FUNCTION: 'remotion-render-x',
      LAMBDA_BUCKET: bucketName,
      ...variables,
    });
    return Object.fromEntries((await checkLambda(config)).map((one) => [one.name, one]));
  };

  it('finds well what was just deployed', async () => {
    accountSettings(1000);
    const { variables } = jsonOf(await run(['deploy', '--json'])) as { variables: Record<string, string> };
    const found = await check(variables);
    expect(Object.values(found).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    expect(Object.keys(found)).toEqual(['lambda', 'lambda bucket', 'lambda slots']);
  });

  it('tells of another version, of a bucket that is closed and of slots that there are not', async () => {
    accountSettings(10);
    aws.s3.createBucket(bucketName).settings.delete('publicAccessBlock');
    const found = await check({ LAMBDA_FUNCTION: functionNamed('4-0-100') });
    expect(found.lambda).toMatchObject({
      status: 'missing',
      found: expect.stringContaining('Remotion 4.0.100'),
    });
    expect(found['lambda bucket']).toMatchObject({
      status: 'missing',
      mend: expect.stringContaining(`deploy --bucket ${bucketName}`),
    });
    expect(found['lambda slots']).toMatchObject({
      status: 'warning',
      found: 'LAMBDA_SLOTS is 1000, and AWS runs 10 at once',
    });
  });

  it('warns of a bucket that opens more than sites', async () => {
    const bucket = aws.s3.createBucket(bucketName);
    bucket.settings.delete('publicAccessBlock');
    const Statement = [
      {
        Sid: 'Everything',
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${bucketName}/*`,
      },
    ];
    bucket.settings.set('policy', JSON.stringify({ Version: '2012-10-17', Statement }));
    expect((await check({}))['lambda bucket']).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('Everything'),
    });
  });

  it('says what is not there, each by itself', async () => {
    accountSettings(1000);
    const found = await check({});
    expect(found.lambda).toMatchObject({
      status: 'missing',
      found: expect.stringContaining('no such function'),
    });
    expect(found['lambda bucket']).toMatchObject({
      status: 'missing',
      found: expect.stringContaining('no such bucket'),
    });
    expect(found['lambda slots']?.status).toBe('ok');
    const nowhere = await check({ LAMBDA_REGION: 'mars-1' });
    expect(Object.values(nowhere).map(({ status }) => status)).toEqual(['missing', 'unknown', 'unknown']);
  });

  it('looks at nothing of Lambda where it is not set up, and shows it where it is', async () => {
    expect(await checkLambda(loadConfig({}))).toEqual([]);
    const shown = await runCommand(['doctor'], {
      RENDERMILL_HOME: '/nowhere/rendermill',
      LAMBDA_FUNCTION: 'remotion-render-x',
      LAMBDA_BUCKET: bucketName,
    });
    expect(shown.out.join('\n')).toMatch(/missing +lambda +There is no such function/);
    expect(judgeSlots(5, { concurrency: 5, concurrencyByDefault: null, unreserved: null }).status).toBe('ok');
  });
});
