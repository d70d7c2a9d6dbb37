import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  RemoteRender,
  RemoteRenderer,
  RenderOptions,
  RenderProgress,
  RenderSpec,
} from '../../../../../src/platform/renderer/contract.ts';
import { type LambdaEmulator, startLambda } from '../../../../support/aws/lambda/start-lambda.ts';
import { type S3Emulator, startS3 } from '../../../../support/aws/s3/start-s3.ts';
import { etagOf } from '../../../../support/aws/s3/store.ts';
import { rejectionOf } from '../../local/support.ts';
import {
  bucketName,
  makeBucket,
  openRenderer,
  region,
  unlimitedBudget,
  until,
  useS3,
  type WatchedBudget,
} from '../support.ts';

const functionName = 'remotion-render-4-0-527-mem2048mb-disk2048mb-120sec';
const bootstrap = fileURLToPath(new URL('../../../../support/aws/lambda/bootstrap.mjs', import.meta.url));
const handler = fileURLToPath(new URL('../fake-function.mjs', import.meta.url));

let s3: S3Emulator;
let lambda: LambdaEmulator;
let bucket: ReturnType<typeof makeBucket>;
let bundlePath: string;
let folder: string;
let budget: WatchedBudget;
let renderer: RemoteRenderer;

beforeAll(async () => {
  s3 = await startS3();
  lambda = await startLambda({
    command: { program: process.execPath, args: [bootstrap], environment: { HANDLER_FILE: handler } },
  });
  lambda.addFunction({ name: functionName, region, memoryMb: 2048, diskMb: 2048, timeoutSeconds: 120 });
  useS3(s3, lambda.url);
  bucket = makeBucket(s3);
  bundlePath = await mkdtemp(join(tmpdir(), 'rendermill-bundle-'));
  await writeFile(join(bundlePath, 'index.html'), '<html><script>1</script></html>');
});

afterAll(async () => {
  await Promise.all([s3.stop(), lambda.stop(), rm(bundlePath, { recursive: true })]);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-video-'));
  budget = unlimitedBudget(3);
  bucket.objects.clear();
  s3.faults.length = 0;
  lambda.faults.length = 0;
  renderer = await openRenderer({ functionName, s3 }, { budget, pollMs: 20, afterwardsMs: 50 });
});

afterEach(async () => {
  await renderer.close();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

const put = (key: string, body: Buffer): void => {
  const headers = { 'content-type': 'application/octet-stream' };
  const rest = { headers, acl: 'private', storageClass: 'STANDARD', checksums: {} };
  bucket.objects.set(key, { body, etag: etagOf(body), lastModified: new Date(), ...rest });
};

const film = Buffer.from('a film, as far as anybody knows');
const outKey = 'outputs/0f0f-0f0f.mp4';

const metadata = {
  type: 'video',
  startedDate: Date.now(),
  totalChunks: 3,
  estimatedTotalLambdaInvokations: 4,
  estimatedRenderLambdaInvokations: 3,
  frameRange: [0, 29],
  everyNthFrame: 1,
  codec: 'h264',
  muted: false,
  framesPerLambda: 10,
  rendererFunctionName: functionName,
  outName: { bucketName, key: outKey },
};

const ended = {
  endTime: 1,
  startTime: 0,
  outputFile: 'https://elsewhere',
  outputSize: film.length,
  renderSize: 1,
  errors: [],
  retriesInfo: [],
  cost: { estimatedCost: 0.25, estimatedDisplayCost: '$0.25', currency: 'USD', disclaimer: '' },
  estimatedBillingDurationInMilliseconds: 4_321,
};

/** As Remotion's functions write it. */
const say = (renderId: string, changes: Record<string, unknown> = {}): void => {
  const progress = {
    cancellationEnabled: true,
    chunks: [],
    framesRendered: 0,
    framesEncoded: 0,
    combinedFrames: 0,
    timeToCombine: null,
    timeToEncode: null,
    timeToRenderFrames: null,
    lambdasInvoked: 0,
    retries: [],
    postRenderData: null,
    timings: [],
    renderMetadata: null,
    errors: [],
    fatalErrorTimestamp: null,
    timeoutTimestamp: Date.now() + 120_000,
    functionLaunched: Date.now(),
    serveUrlOpened: null,
    compositionValidated: null,
    receivedArtifact: [],
    ...changes,
  };
  put(`renders/${renderId}/progress.json`, Buffer.from(JSON.stringify(progress)));
};

const finish = (renderId: string): void => {
  put(outKey, film);
  say(renderId, { renderMetadata: metadata, postRenderData: ended });
};

const specOf = (renderId: string, changes: Partial<RenderSpec> = {}): RenderSpec => ({
  organizationId: 'organization-a',
  bundlePath,
  bundleVersion: 'abc',
  compositionId: 'fake',
  inputProps: { renderId, composition: {} },
  output: { kind: 'video', format: 'mp4' },
  limits: { maxDurationSeconds: null, maxRenderMs: 60_000 },
  expectedFrames: 30,
  outputPath: join(folder, 'output'),
  ...changes,
});

const remoteOf = (renderId: string, ageMs = 0): RemoteRender => ({
  renderId,
  bucketName,
  functionName,
  region,
  startedAt: new Date(Date.now() - ageMs).toISOString(),
});

const remembering = (before: RemoteRender | null = null) => {
  const saved: RemoteRender[] = [];
  return { saved, before, save: async (remote: RemoteRender) => void saved.push(remote) };
};

/** An invocation is counted at its end, which may come later than its answer. */
const countStarts = async (): Promise<number> => {
  await until('all functions have ended', () => lambda.statistics.active === 0);
  return lambda.statistics.invocations.filter(({ type }) => type === 'start').length;
};

const fetchFilm = async (): Promise<string> => {
  const text = await readFile(join(folder, 'output'), 'utf8');
  await rm(join(folder, 'output'));
  return text;
};

const isTold = (renderId: string): boolean => bucket.objects.has(`renders/${renderId}/cancel.json`);

describe('a video', () => {
  it('tells its progress, which never falls, and what it cost', async () => {
    say('a1');
    const told: RenderProgress[] = [];
    const remote = remembering();
    const rendering = renderer.render(specOf('a1'), { remote, onProgress: (now) => told.push(now) });
    await until('it is remembered', () => remote.saved.length === 1);
    const frames = (framesRendered: number) =>
      say('a1', { renderMetadata: metadata, framesRendered, lambdasInvoked: 3, serveUrlOpened: 1 });
    frames(20);
    await until('twenty frames', () => told.at(-1)?.renderedFrames === 20);
    // A chunk begins again.
    frames(10);
    await new Promise((resolve) => setTimeout(resolve, 200));
    frames(25);
    await until('more frames', () => told.at(-1)?.renderedFrames === 25);
    finish('a1');
    const result = await rendering;
    expect(result).toMatchObject({ width: 320, height: 180, durationSeconds: 1, renderTimeMs: 4_321 });
    expect(result.cost).toBeCloseTo(0.25, 3);
    expect(remote.saved).toMatchObject([{ renderId: 'a1', bucketName, functionName, region }]);
    const percents = told.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(told.map(({ renderedFrames }) => renderedFrames)).toEqual([0, 0, 20, 25, 30, 30]);
    expect([await fetchFilm(), budget.held.size]).toEqual([film.toString(), 0]);
    expect(bucket.keys().filter((key) => !key.startsWith('sites/'))).toEqual([]);
  });

  it('asks for slots once where it is as long as was thought, else again', async () => {
    finish('b1');
    await renderer.render(specOf('b1'));
    expect(budget.orders).toMatchObject([{ frames: 30, urgency: 'interactive', kind: 'video' }]);
    await fetchFilm();
    finish('b2');
    const { expectedFrames: _, ...unknown } = specOf('b2', { urgency: 'batch' });
    await renderer.render(unknown);
    const [, second, third] = budget.orders;
    expect([second, third]).toMatchObject([
      { frames: null, urgency: 'batch' },
      { frames: 30, id: second?.id },
    ]);
    await fetchFilm();
  });

  it('is begun by nobody when there are no slots, or when it is longer than allowed', async () => {
    const before = await countStarts();
    const crowded = await openRenderer({ functionName, s3 }, { budget: unlimitedBudget(null) });
    const error = await rejectionOf(crowded.render(specOf('c1')));
    await crowded.close();
    const limits = { maxDurationSeconds: 0.5, maxRenderMs: 60_000 };
    const tooLong = await rejectionOf(renderer.render(specOf('c1', { limits })));
    expect([error.code, tooLong.code]).toEqual(['lambda_throttled', 'duration_exceeds_tier']);
    expect([(await countStarts()) - before, budget.held.size]).toEqual([0, 0]);
  });

  it('is looked at as soon as its end is heard of', async () => {
    say('i1');
    let wake: () => void = () => undefined;
    const onHint = (renderId: string, told: () => void) => {
      if (renderId === 'i1') wake = told;
      return () => undefined;
    };
    const patient = await openRenderer({ functionName, s3 }, { budget, pollMs: 600_000, onHint });
    const remote = remembering();
    let hasEnded = false;
    const rendering = patient.render(specOf('i1'), { remote }).finally(() => (hasEnded = true));
    await until('it is remembered', () => remote.saved.length === 1);
    finish('i1');
    await until('it has ended', () => {
      wake();
      return hasEnded;
    });
    await rendering;
    await patient.close();
    expect(await fetchFilm()).toBe(film.toString());
  });

  it('that ends with an error is tidied up, and its slots are given back', async () => {
    const stitcher = { type: 'stitcher', isFatal: true, willRetry: false, name: 'Error' };
    const message = 'Too many functions: This render would cause 300 functions to spawn.';
    say('d1', { errors: [{ ...stitcher, message, stack: `Error: ${message}` }] });
    const error = await rejectionOf(renderer.render(specOf('d1')));
    expect(error.code).toBe('lambda_misconfigured');
    await until('all is tidy', () => budget.held.size === 0 && bucket.keys('renders/').length === 0);
  });

  it('whose bucket cannot be read goes on unwatched, and keeps its slots', async () => {
    say('e1');
    const remote = remembering();
    const rendering = renderer.render(specOf('e1'), { remote });
    await until('it is remembered', () => remote.saved.length === 1);
    s3.faults.push({ match: ({ key }) => key.endsWith('progress.json'), times: 1_000, reset: true });
    const error = await rejectionOf(rendering);
    expect([error.code, error.retryable]).toEqual(['lambda_unavailable', true]);
    expect([isTold('e1'), budget.held.size]).toEqual([false, 1]);
  }, 60_000);

  it('whose file does not come whole is fetched by the next attempt', async () => {
    finish('f1');
    s3.faults.push({
      match: ({ key, method }) => key === outKey && method === 'GET',
      times: 9,
      cutAfterBytes: 5,
    });
    const error = await rejectionOf(renderer.render(specOf('f1')));
    expect(error.code).toBe('lambda_unavailable');
    expect(await readdir(folder)).toEqual([]);
    s3.faults.length = 0;
    const before = await countStarts();
    const remote = remembering(remoteOf('f1', 999_000));
    await renderer.render(specOf('f1'), { remote });
    expect([await fetchFilm(), (await countStarts()) - before, remote.saved.length]).toEqual([
      film.toString(),
      0,
      0,
    ]);
  });

  it('whose file is shorter than was told is not taken', async () => {
    finish('f2');
    put(outKey, film.subarray(1));
    const error = await rejectionOf(renderer.render(specOf('f2')));
    expect([error.code, error.retryable]).toEqual(['lambda_unavailable', true]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('that nobody could remember is stopped', async () => {
    say('g1');
    const remote = { before: null, save: () => Promise.reject(new Error('no database')) };
    await expect(renderer.render(specOf('g1'), { remote })).rejects.toMatchObject({
      name: 'RendermillError',
    });
    await until('it is tidied up', () => bucket.keys('renders/').length === 0);
    expect(budget.held.size).toBe(0);
  });

  it.each([
    ['canceled', true],
    ['lost', false],
    ['stopping', false],
  ])('whose watcher leaves (%s) is told to stop: %s', async (reason, isStopped) => {
    say(`h-${reason}`);
    const abort = new AbortController();
    const remote = remembering();
    const rendering = renderer.render(specOf(`h-${reason}`), { remote, signal: abort.signal });
    await until('it is remembered', () => remote.saved.length === 1);
    abort.abort(reason);
    expect((await rejectionOf(rendering)).code).toBe('render_canceled');
    await renderer.close();
    expect([isTold(`h-${reason}`), budget.held.size]).toEqual([isStopped, isStopped ? 0 : 1]);
  });
});

describe('a video that an earlier attempt began', () => {
  const follow = async (before: RemoteRender, options: Partial<RenderOptions> = {}) => {
    finish('anew');
    const startsBefore = await countStarts();
    const remote = remembering(before);
    await renderer.render(specOf('anew'), { remote, ...options });
    await fetchFilm();
    return {
      starts: (await countStarts()) - startsBefore,
      saved: remote.saved.map(({ renderId }) => renderId),
    };
  };
  const anew = { starts: 1, saved: ['anew'] };

  it('is watched to its end', async () => {
    say('before', { renderMetadata: metadata });
    setTimeout(() => finish('before'), 300);
    expect(await follow(remoteOf('before'))).toEqual({ starts: 0, saved: [] });
    // So that whoever counts its slots sees the same render.
    expect(budget.orders[0]?.id).toBe('0f0f-0f0f');
  });

  it.each<[string, () => void, Partial<RemoteRender>]>([
    ['is gone', () => undefined, {}],
    [
      'has failed',
      () => say('before', { errors: [{ isFatal: true, willRetry: false, stack: '', message: '' }] }),
      {},
    ],
    ['is too old', () => say('before'), { startedAt: new Date(Date.now() - 200_000).toISOString() }],
    [
      'was told to stop',
      () => {
        say('before');
        put('renders/before/cancel.json', Buffer.from('{}'));
      },
      {},
    ],
    ['lies in another bucket', () => finish('before'), { bucketName: 'another' }],
  ])('and that %s is begun anew', async (_, arrange, changes) => {
    arrange();
    expect(await follow({ ...remoteOf('before'), ...changes })).toEqual(anew);
  });
});

describe('a video that nobody watches any more', () => {
  const left = (): string[] => bucket.keys().filter((key) => !key.startsWith('sites/'));
  const going = { renderMetadata: metadata, framesRendered: 20 };

  it.each<[string, () => void, number, boolean]>([
    ['that goes on is told to stop', () => say('l1', going), 0, true],
    ['that has ended well is removed', () => finish('l1'), 0, false],
    ['whose functions have died of age is removed', () => say('l1', going), 3_600_000, false],
  ])('%s, and nothing of it stays', async (_what, arrange, ageMs, told) => {
    arrange();
    await renderer.discard(remoteOf('l1', ageMs));
    expect(isTold('l1')).toBe(told);
    await until('nothing of it is left', () => left().length === 0);
  });

  it('that has said nothing yet is told to stop; the word waits for it', async () => {
    await renderer.discard(remoteOf('l1'));
    expect(left()).toEqual(['renders/l1/cancel.json']);
    bucket.objects.clear();
    await renderer.discard(remoteOf('l1', 3_600_000));
    expect(left()).toEqual([]);
  });

  it('hears it also where the worker stops at once', async () => {
    say('l2', going);
    await renderer.discard(remoteOf('l2'));
    await renderer.close();
    expect(left()).toEqual(['renders/l2/cancel.json']);
    await expect(renderer.discard(remoteOf('l2'))).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('of another bucket is left to that one', async () => {
    say('l3', going);
    const before = left();
    await renderer.discard({ ...remoteOf('l3'), bucketName: 'another' });
    expect(left()).toEqual(before);
  });

  it('is not said to be ended where the bucket cannot be reached', async () => {
    say('l4', going);
    s3.faults.push({ match: ({ key }) => key.endsWith('cancel.json'), times: 1_000, reset: true });
    await expect(renderer.discard(remoteOf('l4'))).rejects.toThrow();
    expect(isTold('l4')).toBe(false);
  });
});
