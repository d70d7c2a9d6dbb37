import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  askFunction,
  ensureFunction,
  functionName,
  removeFunction,
} from '../../../src/platform/aws/function.ts';
import { mostSlots, readQuotas } from '../../../src/platform/aws/quotas.ts';
import { remotionVersion } from '../../../src/platform/aws/remotion-lambda.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

// Remotion's packages and the SDK in them take long to load on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
beforeEach(() => aws.lambda.functions.clear());
afterEach(() => void aws.answers.splice(0));

const region = 'us-east-1';
const size = { memoryMb: 2048, diskMb: 1024, timeoutSeconds: 240 };
const order = { region, ...size } as const;

it('makes the function of our Remotion version, whose launches AWS does not repeat, and finds it the next time', async () => {
  const name = await functionName(size);
  expect(name).toMatch(/^remotion-render-4-0-\d+-mem2048mb-disk1024mb-240sec$/);
  expect(await ensureFunction(order)).toEqual({ name, made: true });
  expect(aws.lambda.functions.get(name)).toMatchObject({
    memoryMb: 2048,
    diskMb: 1024,
    timeoutSeconds: 240,
    maximumRetryAttempts: 0,
    layers: expect.arrayContaining([expect.stringContaining('chromium')]),
  });
  expect(aws.lambda.logGroups.get(`/aws/lambda/${name}`)).toBe(14);
  expect(await ensureFunction(order)).toEqual({ name, made: false });
  expect(aws.lambda.functions.size).toBe(1);
});

const addFunction = (name: string) => aws.lambda.addFunction({ name, region, ...size });

it('completes one whose deployment was cut off', async () => {
  const half = addFunction(await functionName(size));
  expect(half.maximumRetryAttempts).toBe(2);
  expect(await ensureFunction(order)).toMatchObject({ made: false });
  expect(half.maximumRetryAttempts).toBe(0);
});

it.each([
  [
    'without a role',
    400,
    'InvalidParameterValueException',
    'The role defined for the function cannot be assumed by Lambda.',
    /no role remotion-lambda-role/,
  ],
  [
    'without the permission',
    403,
    'AccessDeniedException',
    'User: x is not authorized to perform: iam:PassRole on resource: y',
    /iam:PassRole/,
  ],
])('says what is missing %s', async (_what, status, code, message, text) => {
  aws.answers.push({
    method: 'POST',
    path: /^\/2015-03-31\/functions\/?$/,
    status,
    code,
    body: { message, Message: message },
  });
  await expect(ensureFunction(order)).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringMatching(text),
  });
});

it('asks a function for its version', async () => {
  const ours = await remotionVersion();
  const name = await functionName(size);
  addFunction(name);
  expect(await askFunction(region, name)).toEqual({ deployed: ours, ours });
  const older = 'remotion-render-4-0-100-mem2048mb-disk1024mb-240sec';
  addFunction(older);
  expect(await askFunction(region, older)).toEqual({ deployed: '4.0.100', ours });
  await expect(askFunction(region, 'remotion-render-nowhere')).rejects.toMatchObject({
    code: 'lambda_misconfigured',
  });
});

it('removes a function, and says where there was none', async () => {
  const name = await functionName(size);
  addFunction(name);
  expect(await removeFunction(region, name)).toBe(true);
  expect(aws.lambda.functions.has(name)).toBe(false);
  expect(await removeFunction(region, name)).toBe(false);
});

const accountSettings = (status: number, body: object, code?: string) =>
  void aws.answers.push({
    method: 'GET',
    path: /account-settings/,
    status,
    body: { ...body },
    ...(code ? { code } : {}),
  });

it("reads how many functions may run: Lambda's own word before that of Service Quotas", async () => {
  aws.lambda.limits.concurrency = 500;
  accountSettings(200, { AccountLimit: { ConcurrentExecutions: 480, UnreservedConcurrentExecutions: 380 } });
  const quotas = await readQuotas(region);
  expect(quotas).toEqual({ concurrency: 480, concurrencyByDefault: 1000, unreserved: 380 });
  expect(mostSlots(quotas)).toBe(380);
});

it('does with the quota alone where the account may not be asked', async () => {
  aws.lambda.limits.concurrency = 500;
  accountSettings(403, { message: 'not authorized' }, 'AccessDeniedException');
  const quotas = await readQuotas(region);
  expect(quotas).toEqual({ concurrency: 500, concurrencyByDefault: 1000, unreserved: null });
  expect(mostSlots(quotas)).toBe(500);
});
