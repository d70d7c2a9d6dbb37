import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RemoteRender, Renderer, RenderSpec } from '../../../../src/platform/renderer/contract.ts';
import type { LambdaRendererOptions } from '../../../../src/platform/renderer/lambda/options.ts';
import { describeSandboxed } from '../../../support/aws/sandbox/describe-sandboxed.ts';
import { type AwsEmulator, startAws } from '../../../support/aws/start-aws.ts';
import { countFrames } from '../local/probe.ts';
import { openWorkshop, rejectionOf, specOf, type Workshop } from '../local/support.ts';
import { makeBucket, openRenderer, unlimitedBudget, until, type WatchedBudget } from './support.ts';

const testMs = 120_000;
const video = { kind: 'video', format: 'mp4' } as const;
const picture = { kind: 'still', format: 'png', frame: 0 } as const;

await describeSandboxed('Lambda', () => {
  let workshop: Workshop;
  let aws: AwsEmulator;
  let folder: string;
  let budget: WatchedBudget;
  let bucket: ReturnType<typeof makeBucket>;
  let renderer: Renderer;

  beforeAll(async () => {
    workshop = await openWorkshop();
    aws = await startAws();
    Object.assign(process.env, aws.environment);
    bucket = makeBucket(aws.s3);
    budget = unlimitedBudget(2);
    renderer = await openRenderer(aws, { budget });
  }, testMs);

  afterAll(async () => {
    await renderer.close();
    await aws.stop();
    await workshop.remove();
  }, testMs);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rendermill-failures-'));
    aws.lambda.faults.length = 0;
    aws.lambda.statistics.invocations.length = 0;
    aws.s3.requests.length = 0;
  });

  afterEach(async () => {
    await functionsEnd();
    await rm(folder, { recursive: true });
  }, testMs);

  /** A picture's twelve frames, as two functions share them, unless the test says otherwise. */
  const spec = (compositionId: string, changes: Partial<RenderSpec> = {}): RenderSpec =>
    specOf(workshop, compositionId, {
      output: { ...video, frameRange: [0, 11] },
      outputPath: join(folder, 'output'),
      ...changes,
    });

  const withRenderer = async <T>(
    options: Partial<LambdaRendererOptions>,
    work: (other: Renderer) => Promise<T>,
  ): Promise<T> => {
    const other = await openRenderer(aws, { budget, ...options });
    try {
      return await work(other);
    } finally {
      await other.close();
    }
  };

  const refusalOf = async (one: RenderSpec, by: Renderer = renderer) => {
    const error = await rejectionOf(by.render(one));
    expect(await readdir(folder)).toEqual([]);
    expect(error.message).not.toMatch(/arn:|renders|127\.0\.0\.1|remotion-render/);
    return error;
  };

  const functionsEnd = () => until('all functions have ended', () => aws.lambda.statistics.active === 0);

  /** An invocation is counted at its end, which may come later than the end of what it rendered. */
  const invoked = async (type: string): Promise<number> => {
    await functionsEnd();
    return aws.lambda.statistics.invocations.filter((invocation) => invocation.type === type).length;
  };

  it(
    'that throttles the start has room later, and the budget hears of it',
    async () => {
      aws.lambda.faults.push({ type: 'start', throttle: true });
      const before = budget.throttlings;
      const error = await refusalOf(spec('picture'));
      expect([error.code, error.retryable]).toEqual(['lambda_throttled', true]);
      expect([budget.throttlings - before, budget.held.size]).toEqual([1, 0]);
    },
    testMs,
  );

  it(
    'that throttles a chunk has room later, and the budget hears of it',
    async () => {
      aws.lambda.faults.push({ type: 'renderer', nth: 2, throttle: true });
      const before = budget.throttlings;
      const error = await refusalOf(spec('picture'));
      expect([error.code, error.retryable, budget.throttlings - before]).toEqual([
        'lambda_throttled',
        true,
        1,
      ]);
    },
    testMs,
  );

  it(
    'that cuts the answer of a chunk is asked for it again, by Remotion itself',
    async () => {
      aws.lambda.faults.push({ type: 'renderer', nth: 1, cutAfterBytes: 2_000 });
      const result = await renderer.render(spec('tone'));
      expect(result.durationSeconds).toBe(0.4);
      expect(await countFrames(join(folder, 'output'))).toBe(12);
      expect(await invoked('renderer')).toBe(3);
    },
    testMs,
  );

  it(
    'whose launch function dies without a word is found out by the watchdog',
    async () => {
      aws.lambda.faults.push({ type: 'launch', killAfterMs: 1 });
      const error = await withRenderer({ launchWatchdogMs: 2_000 }, (other) =>
        refusalOf(spec('picture'), other),
      );
      expect([error.code, error.message]).toEqual([
        'render_stalled',
        'The render on Lambda made no progress for 2 seconds.',
      ]);
    },
    testMs,
  );

  it(
    'that has no such function says what to do',
    async () => {
      const functionName = aws.functionName.replace('120sec', '240sec');
      const error = await withRenderer({ functionName }, (other) => refusalOf(spec('picture'), other));
      expect(error.code).toBe('lambda_misconfigured');
      expect(error.message).toContain('rendermill lambda deploy');
    },
    testMs,
  );

  it(
    'that may not read the site says what to do',
    async () => {
      const policy = bucket.settings.get('policy') ?? '';
      bucket.settings.delete('policy');
      const error = await refusalOf(spec('picture', { output: picture })).finally(() =>
        bucket.settings.set('policy', policy),
      );
      expect([error.code, error.message]).toEqual([
        'lambda_misconfigured',
        'The Lambda function cannot load the site of this project. Check that the policy of its bucket opens sites/: rendermill lambda deploy',
      ]);
    },
    testMs,
  );

  it(
    'finds a site again that somebody removed',
    async () => {
      const one = spec('picture', { output: picture });
      await renderer.render(one);
      for (const key of bucket.keys('sites/')) bucket.objects.delete(key);
      expect(await renderer.render(one)).toMatchObject({ width: 320, height: 180 });
      expect(bucket.keys('sites/').length).toBeGreaterThan(3);
    },
    testMs,
  );

  it(
    'renders with props of any size, and alone where it has one function only',
    async () => {
      const inputProps = { width: 64, height: 48, ballast: 'ä'.repeat(300_000) };
      const one = spec('sized', { inputProps, output: { ...video, frameRange: [0, 5] } });
      const result = await withRenderer({ budget: unlimitedBudget(1) }, (other) => other.render(one));
      expect(result).toMatchObject({ width: 64, height: 48, durationSeconds: 0.2 });
      expect(await countFrames(join(folder, 'output'))).toBe(6);
      expect([await invoked('launch'), await invoked('renderer')]).toEqual([1, 0]);
      const written = aws.s3.requests.filter(
        ({ method, key }) => method === 'PUT' && /^input-props/.test(key),
      );
      expect(written.length).toBeGreaterThan(0);
    },
    testMs,
  );

  it(
    'tells what a composition threw in the launch function, too',
    async () => {
      const error = await withRenderer({ budget: unlimitedBudget(1) }, (other) =>
        refusalOf(spec('throwing'), other),
      );
      expect(error.code).toBe('composition_error');
      expect(error.message).toMatch(/TypeError: The price of frame \d is missing \(at .*failures\.tsx:10\)$/);
    },
    testMs,
  );

  it(
    'stops its functions when the render is canceled',
    async () => {
      const abort = new AbortController();
      const one = spec('slow', { output: { ...video, frameRange: [0, 239] } });
      const error = await rejectionOf(
        renderer.render(one, {
          signal: abort.signal,
          onProgress: ({ renderedFrames }) => renderedFrames > 0 && abort.abort('canceled'),
        }),
      );
      expect(error.code).toBe('render_canceled');
      expect(await invoked('renderer')).toBe(2);
      const written = aws.s3.requests.filter(({ method }) => method === 'PUT');
      expect(written.filter(({ key }) => key.startsWith('outputs/'))).toEqual([]);
    },
    testMs,
  );

  it(
    'goes on when its worker is lost, and the next one watches the same render',
    async () => {
      const one = spec('slow', { output: { ...video, frameRange: [0, 39] } });
      const lost = new AbortController();
      let saved: RemoteRender | null = null;
      const first = withRenderer({}, (other) =>
        other.render(one, {
          signal: lost.signal,
          onProgress: ({ renderedFrames }) => renderedFrames > 0 && lost.abort('lost'),
          remote: {
            before: null,
            save: async (remote) => {
              saved = remote;
            },
          },
        }),
      );
      expect((await rejectionOf(first)).code).toBe('render_canceled');
      expect(await readdir(folder)).toEqual([]);
      const result = await renderer.render(one, {
        remote: { before: saved, save: () => Promise.reject(new Error('Another render was begun.')) },
      });
      expect(result.durationSeconds).toBeCloseTo(40 / 30);
      expect(await countFrames(join(folder, 'output'))).toBe(40);
      expect(await invoked('start')).toBe(1);
    },
    testMs,
  );

  it(
    'gives back all slots, and keeps nothing of all this but its sites',
    async () => {
      const kept = /^(?:sites|input-props)\/|\/cancel\.json$/;
      await until('all slots are free', () => budget.held.size === 0);
      await until('nothing is left', () => bucket.keys().every((key) => kept.test(key)));
    },
    testMs,
  );
});
