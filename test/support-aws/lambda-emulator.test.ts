import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deployFunction } from '@remotion/lambda';
import { deleteFunction, getAwsClient, getFunctions } from '@remotion/lambda-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LambdaEmulator, startLambda } from '../support/aws/lambda/start-lambda.ts';
import { findProcesses } from '../support/aws/sandbox/find-processes.ts';
import { refusalOf } from './s3-client.ts';

const region = 'us-east-1' as const;
const FunctionName = 'fake';
const remotionVersion = '4.0.527';
const bootstrap = fileURLToPath(new URL('../support/aws/lambda/bootstrap.mjs', import.meta.url));
const handler = fileURLToPath(new URL('fake-handler.mjs', import.meta.url));

let lambda: LambdaEmulator;
let marker: string;

const start = (HANDLER_FILE: string, environment = {}) =>
  startLambda({
    command: {
      program: process.execPath,
      args: [bootstrap],
      environment: { HANDLER_FILE, FAKE_VERSION: remotionVersion, FAKE_MARKER: marker, ...environment },
    },
  });

/** Remotion's own clients and ours take their endpoints from the environment; one try only, so that a refusal is seen. */
const pointClientsAt = ({ url, credentials }: LambdaEmulator): void => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_MAX_ATTEMPTS: '1',
    REMOTION_DISABLE_AWS_CLIENT_CACHE: '1',
  });
};

const addFunction = () =>
  lambda.addFunction({ name: FunctionName, region, memoryMb: 2048, diskMb: 2048, timeoutSeconds: 20 });

beforeEach(async () => {
  marker = `rendermill-fake-${Math.random()}`;
  lambda = await start(handler);
  addFunction();
  pointClientsAt(lambda);
});

afterEach(async () => {
  await lambda.stop();
  expect(await findProcesses(marker)).toEqual([]);
});

const connect = () => getAwsClient({ region, service: 'lambda' });

const invoke = async (payload: object, rest = {}) => {
  const { client, sdk } = connect();
  const command = new sdk.InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), ...rest });
  const { Payload, FunctionError, StatusCode } = await client.send(command);
  const text = Buffer.from(Payload ?? []).toString();
  return { status: StatusCode, error: FunctionError, text };
};

/** Sizes of the frames, the whole text, and how it ended. */
const invokeStream = async (payload: object) => {
  const { client, sdk } = connect();
  const command = new sdk.InvokeWithResponseStreamCommand({ FunctionName, Payload: JSON.stringify(payload) });
  const { EventStream = [] } = await client.send(command);
  const frames: Buffer[] = [];
  let completion: object | undefined;
  for await (const event of EventStream) {
    if (event.PayloadChunk?.Payload) frames.push(Buffer.from(event.PayloadChunk.Payload));
    if (event.InvokeComplete) completion = event.InvokeComplete;
  }
  return { sizes: frames.map(({ length }) => length), body: Buffer.concat(frames), completion };
};

const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('The condition did not come true.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('invocations', () => {
  test('run one after the other in the same warm process, with the context of Lambda', async () => {
    const [first, second] = [await invoke({ type: 'echo', a: 1 }), await invoke({ type: 'echo' })];
    const answer = JSON.parse(first.text) as { pid: number; remaining: number };
    expect(answer).toMatchObject({
      event: { type: 'echo', a: 1 },
      arn: 'arn:aws:lambda:us-east-1:123456789012:function:fake',
      name: FunctionName,
    });
    expect(answer.remaining).toBeGreaterThan(0);
    expect(JSON.parse(second.text)).toMatchObject({ pid: answer.pid });
    expect(lambda.statistics).toMatchObject({ coldStarts: 1, peakConcurrency: 1, active: 0 });
    expect(lambda.statistics.invocations).toMatchObject([
      { type: 'echo', kind: 'RequestResponse', isCold: true, error: null },
      { type: 'echo', kind: 'RequestResponse', isCold: false, error: null },
    ]);
  });

  test('at the same time have a process each', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => invokeStream({ type: 'slow', ms: 300 })));
    expect(answers.map(({ body }) => body.toString())).toEqual(['begun', 'begun', 'begun']);
    expect(lambda.statistics).toMatchObject({ coldStarts: 3, peakConcurrency: 3 });
  });

  test('stream in frames of at most 64 KiB', async () => {
    const { sizes, body, completion } = await invokeStream({ type: 'bytes', chunks: 2, size: 100_000 });
    expect(sizes).toEqual([65_536, 34_464, 65_536, 34_464]);
    expect([body[0], body[99_999], body[100_000]]).toEqual([0, 0, 1]);
    expect(completion).toEqual({ LogResult: '' });
  });

  test('as events are accepted at once, and run when there is room', async () => {
    lambda.limits.concurrency = 1;
    const event = (payload: object) => invoke(payload, { InvocationType: 'Event' });
    expect(await event({ type: 'slow', ms: 300 })).toMatchObject({ status: 202, text: '' });
    expect(await event({ type: 'echo' })).toMatchObject({ status: 202 });
    await until(() => lambda.statistics.invocations.length === 2);
    expect(lambda.statistics.invocations.map(({ type, kind }) => [type, kind])).toEqual([
      ['slow', 'Event'],
      ['echo', 'Event'],
    ]);
    expect(lambda.statistics.peakConcurrency).toBe(1);
  });
});

describe('failures', () => {
  test('of the handler are told, and its process goes on', async () => {
    const { status, error, text } = await invoke({ type: 'throw' });
    expect([status, error]).toEqual([200, 'Unhandled']);
    expect(JSON.parse(text)).toMatchObject({ errorType: 'RangeError', errorMessage: 'as it was told' });
    const { completion } = await invokeStream({ type: 'throw' });
    expect(completion).toMatchObject({ ErrorCode: 'Unhandled' });
    expect(lambda.statistics.coldStarts).toBe(1);
    expect(lambda.logs.join('\n')).toContain('as it was told');
  });

  test('that nobody handles end the process, and the next invocation gets a new one', async () => {
    const { completion } = await invokeStream({ type: 'reject' });
    expect(completion).toMatchObject({
      ErrorCode: 'Runtime.ExitError',
      ErrorDetails: expect.stringContaining('Runtime exited with error: exit status 128'),
    });
    await invoke({ type: 'echo' });
    expect(lambda.statistics.coldStarts).toBe(2);
  });

  test('to end in time end the process', async () => {
    addFunction().timeoutSeconds = 1;
    const { error, text } = await invoke({ type: 'slow', ms: 60_000 });
    expect(error).toBe('Unhandled');
    expect(text).toMatch(/Sandbox.Timedout.*Task timed out after 1.00 seconds/);
  });

  test('to fit: payloads above 6 MB, events above 1 MB, answers above 6 MB', async () => {
    const large = (bytes: number) => ({ type: 'echo', text: 'x'.repeat(bytes) });
    const megabyte = 1024 * 1024;
    expect(await refusalOf(invoke(large(6 * megabyte)))).toBe('RequestTooLargeException 413');
    const event = invoke(large(megabyte), { InvocationType: 'Event' });
    expect(await refusalOf(event)).toBe('RequestTooLargeException 413');
    const { text } = await invoke({ type: 'bytes', chunks: 7, size: megabyte });
    expect(text).toContain('Function.ResponseSizeTooLarge');
  });

  test('to exist, to be signed, to be known', async () => {
    const missing = invoke({ type: 'echo' }, { FunctionName: 'none' });
    expect(await refusalOf(missing)).toBe('ResourceNotFoundException 404');
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    expect(await refusalOf(invoke({ type: 'echo' }))).toBe('SignatureDoesNotMatch 403');
    pointClientsAt(lambda);
    const { client, sdk } = connect();
    const unknown = client.send(new sdk.ListLayersCommand({}));
    expect(await refusalOf(unknown)).toBe('NotImplemented 501');
  });
});

describe('the limit of the account', () => {
  test('refuses what is above it, and may be changed meanwhile', async () => {
    lambda.limits.concurrency = 1;
    const slow = invoke({ type: 'slow', ms: 1_500 });
    await until(() => lambda.statistics.active === 1);
    expect(await refusalOf(invoke({ type: 'echo' }))).toBe('TooManyRequestsException 429');
    expect(await refusalOf(invokeStream({ type: 'echo' }))).toBe('TooManyRequestsException 429');
    lambda.limits.concurrency = 2;
    expect((await invoke({ type: 'echo' })).status).toBe(200);
    await slow;
    expect(lambda.statistics.throttled).toBe(2);
  });
});

describe('faults', () => {
  test('throttle the nth invocation of a type, so often as they shall', async () => {
    lambda.faults.push({ type: 'echo', nth: 2, times: 2, throttle: true });
    const outcomes: string[] = [];
    for (const type of ['echo', 'bytes', 'echo', 'echo', 'echo'])
      outcomes.push(await refusalOf(invoke({ type })));
    const throttled = 'TooManyRequestsException 429';
    const well = 'nothing thrown';
    expect(outcomes).toEqual([well, well, throttled, throttled, well]);
    expect(lambda.faults).toEqual([]);
  });

  test('kill the process in the middle', async () => {
    lambda.faults.push({ match: ({ type }) => type === 'slow', killAfterMs: 20 });
    const { completion } = await invokeStream({ type: 'slow', ms: 60_000 });
    expect(completion).toMatchObject({
      ErrorCode: 'Runtime.ExitError',
      ErrorDetails: expect.stringContaining('signal: killed'),
    });
  });

  test('cut the connection of an answer, while the function goes on', async () => {
    lambda.faults.push({ cutAfterBytes: 1_000 }, { cutAfterBytes: 0, times: 2 });
    for (const one of [invokeStream, invokeStream, invoke]) {
      expect(await refusalOf(one({ type: 'bytes', chunks: 3, size: 5_000 }))).not.toBe('nothing thrown');
    }
    await until(() => lambda.statistics.invocations.length === 3);
    expect(lambda.statistics.invocations.map(({ error }) => error)).toEqual([null, null, null]);
  });

  test('delay', async () => {
    lambda.faults.push({ delayMs: 50 });
    expect((await invoke({ type: 'echo' })).status).toBe(200);
    expect(lambda.faults).toEqual([]);
  });
});

describe('the account', () => {
  test('has functions deployed by Remotion, listed and deleted', async () => {
    const options = { region, memorySizeInMb: 2048, timeoutInSeconds: 120, diskSizeInMb: 2048 };
    const deploy = () => deployFunction({ ...options, createCloudWatchLogGroup: true });
    const functionName = 'remotion-render-4-0-527-mem2048mb-disk2048mb-120sec';
    expect(await deploy()).toEqual({ functionName, alreadyExisted: false });
    expect(await deploy()).toEqual({ functionName, alreadyExisted: true });
    expect([...lambda.logGroups]).toEqual([[`/aws/lambda/${functionName}`, 14]]);
    const deployed = lambda.functions.get(functionName);
    expect(deployed).toMatchObject({
      memoryMb: 2048,
      diskMb: 2048,
      timeoutSeconds: 120,
      maximumRetryAttempts: 0,
    });
    expect(deployed?.layers.length).toBeGreaterThan(0);
    expect(deployed?.runtimeVersionArn).toMatch(/^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/);
    expect(deployed?.tags.get('remotion-version')).toBe(remotionVersion);
    const listed = await getFunctions({ region, compatibleOnly: true });
    expect(listed).toMatchObject([{ functionName, version: remotionVersion, timeoutInSeconds: 120 }]);
    await deleteFunction({ region, functionName });
    expect([...lambda.functions.keys()]).toEqual([FunctionName]);
  });

  test('has quotas and an identity', async () => {
    lambda.limits.concurrency = 50;
    const { client, sdk: quotas } = getAwsClient({ region, service: 'servicequotas' });
    const asked = { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' };
    const { Quota } = await client.send(new quotas.GetServiceQuotaCommand(asked));
    const standard = await client.send(new quotas.GetAWSDefaultServiceQuotaCommand(asked));
    expect([Quota?.Value, standard.Quota?.Value]).toEqual([50, 1000]);
    const { client: sts, sdk: tokens } = getAwsClient({ region, service: 'sts' });
    expect(await sts.send(new tokens.GetCallerIdentityCommand({}))).toMatchObject({
      Account: '123456789012',
    });
  });
});

test("Remotion's handler is never loaded where /tmp is the machine's own", async () => {
  // No such file: this test must do no harm when it fails.
  const remotions = '/nowhere/node_modules/@remotion/lambda/dist/functions/index.js';
  const { dev, ino } = await stat('/tmp');
  for (const environment of [{}, { OUTSIDE_TMP: `${dev}:${ino}` }]) {
    const unprotected = await start(remotions, environment);
    unprotected.addFunction({ name: FunctionName, region, memoryMb: 512, diskMb: 512, timeoutSeconds: 20 });
    pointClientsAt(unprotected);
    const { text } = await invoke({ type: 'info' });
    expect(text).toContain('exit status 130');
    expect(unprotected.logs.join('\n')).toContain('is not private here');
    await unprotected.stop();
  }
});
