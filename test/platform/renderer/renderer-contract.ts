/** What every renderer promises, whatever it renders with. Run by a test file of each. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  Renderer,
  RenderProgress,
  RenderSpec,
  StillOutcome,
} from '../../../src/platform/renderer/contract.ts';
import { probe } from './local/probe.ts';
import { openWorkshop, rejectionOf, specOf, type Workshop } from './local/support.ts';

export interface ContractBench {
  readonly renderer: Renderer;
  /** Whether somebody is billed for a render. */
  readonly isBilled: boolean;
  /** What the developer's words name as the machine's failure; it is to be tried again. */
  readonly lossCode: string;
  /** The next video loses what it runs on: called before it, and what it returns once frames are rendered. */
  arrangeLoss(): () => Promise<void>;
  close(): Promise<void>;
}

const testMs = 120_000;
const mp4 = { kind: 'video', format: 'mp4' } as const;
const slow = { output: { ...mp4, frameRange: [0, 59] } } as const;

const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('The condition did not come true within a minute.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** `width,height`. Remotion's own ffprobe knows no pictures. */
const sizeOfPicture = async (path: string): Promise<string> => {
  const entries = ['-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', ...entries, path]);
  return stdout.trim();
};

/** To be called within a suite. */
export const testRendererContract = (open: (workshop: Workshop) => Promise<ContractBench>): void => {
  let workshop: Workshop;
  let bench: ContractBench;
  let folder: string;

  beforeAll(async () => {
    workshop = await openWorkshop();
    bench = await open(workshop);
  }, testMs);

  afterAll(async () => {
    await bench.close();
    await workshop.remove();
  }, testMs);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rendermill-contract-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const spec = (compositionId: string, changes: Partial<RenderSpec> = {}): RenderSpec =>
    specOf(workshop, compositionId, { outputPath: join(folder, 'output'), ...changes });

  const refusalOf = async (compositionId: string, changes: Partial<RenderSpec> = {}) => {
    const error = await rejectionOf(bench.renderer.render(spec(compositionId, changes)));
    expect(await readdir(folder)).toEqual([]);
    expect(error.message).not.toContain(workshop.directory);
    return error;
  };

  /** Begins 60 slow frames and hands over when the first of them is done. */
  const startSlow = async (signal?: AbortSignal) => {
    let frames = 0;
    let hasEnded = false;
    const ended = bench.renderer.render(spec('slow', slow), {
      ...(signal ? { signal } : {}),
      onProgress: ({ renderedFrames }) => {
        frames = renderedFrames;
      },
    });
    ended.catch(() => undefined).finally(() => (hasEnded = true));
    await until(() => frames > 0 || hasEnded);
    return { ended };
  };

  const expectCost = (cost: number | null): void => {
    if (bench.isBilled) expect(cost).toBeGreaterThan(0);
    else expect(cost).toBeNull();
  };

  describe('a still', () => {
    it.each([
      ['png', '89504e470d0a1a0a'],
      ['jpeg', 'ffd8ff'],
      ['webp', '52494646'],
    ] as const)(
      'becomes a real %s of the size that the result tells',
      async (format, magic) => {
        const one = spec('picture', {
          output: { kind: 'still', format, frame: -1 },
          width: 200,
          height: 101,
          scale: 1.5,
        });
        const result = await bench.renderer.render(one);
        const bytes = await readFile(one.outputPath);
        expect(bytes.subarray(0, magic.length / 2).toString('hex')).toBe(magic);
        expect(result).toMatchObject({ width: 300, height: 152, durationSeconds: null });
        expect(await sizeOfPicture(one.outputPath)).toBe('300,152');
        expectCost(result.cost);
        expect(await readdir(folder)).toEqual(['output']);
      },
      testMs,
    );

    it(
      'of a frame that is not there is refused',
      async () => {
        const error = await refusalOf('picture', { output: { kind: 'still', format: 'png', frame: 30 } });
        expect(error.code).toBe('frame_out_of_range');
        expect(error.message).toBe('Frame 30 lies outside the composition, which has the frames 0 to 29.');
      },
      testMs,
    );

    it(
      'among many fails alone',
      async () => {
        const outcomes: StillOutcome[] = [];
        await bench.renderer.renderStills(
          {
            organizationId: 'organization-a',
            bundlePath: workshop.bundlePath,
            bundleVersion: 'abc123',
            compositionId: 'throwing',
            format: 'png',
            width: 160,
            height: 90,
            maxStillMs: 60_000,
            items: [0, 5].map((frame) => ({ inputProps: {}, frame, outputPath: join(folder, `${frame}`) })),
          },
          { onOutcome: (outcome) => outcomes.push(outcome) },
        );
        expect(outcomes.toSorted((a, b) => a.index - b.index)).toMatchObject([
          { index: 0, type: 'rendered', result: { width: 160, height: 90 } },
          { index: 1, type: 'failed', error: { code: 'composition_error' } },
        ]);
        expect(await readdir(folder)).toEqual(['0']);
      },
      testMs,
    );
  });

  describe('a video', () => {
    it(
      'has the frames, the size and the sound that were asked for, and tells how far it is',
      async () => {
        const told: RenderProgress[] = [];
        const one = spec('tone', { output: { ...mp4, frameRange: [4, 24] }, scale: 0.5, quality: 60 });
        const result = await bench.renderer.render(one, { onProgress: (progress) => told.push(progress) });
        const streams = await probe(one.outputPath);
        expect(streams[0]).toBe('h264,160,90,21');
        expect(streams[1]).toMatch(/^aac,/);
        expect(result).toMatchObject({ width: 160, height: 90, durationSeconds: 0.7 });
        expect(result.renderTimeMs).toBeGreaterThan(0);
        expectCost(result.cost);
        const percents = told.map(({ percent }) => percent);
        expect(percents).toEqual(percents.toSorted((a, b) => a - b));
        expect(told[0]).toMatchObject({ stage: 'preparing', percent: 0 });
        expect(told.at(-1)).toMatchObject({ percent: 100, renderedFrames: 21, totalFrames: 21 });
        expect(await readdir(folder)).toEqual(['output']);
      },
      testMs,
    );

    it(
      'that calculateMetadata makes longer than the tier allows is refused',
      async () => {
        const error = await refusalOf('sized', {
          inputProps: { seconds: 7 },
          output: mp4,
          limits: { maxDurationSeconds: 5, maxRenderMs: 60_000 },
        });
        expect([error.code, error.message]).toEqual([
          'duration_exceeds_tier',
          "The video is 7 seconds long; the user's tier allows 5.",
        ]);
      },
      testMs,
    );

    it(
      'of frames that are not there is refused',
      async () => {
        const error = await refusalOf('picture', { output: { ...mp4, frameRange: [20, 40] } });
        expect([error.code, error.message]).toEqual([
          'frame_out_of_range',
          'The range 20 to 40 lies outside the composition, which has the frames 0 to 29.',
        ]);
      },
      testMs,
    );

    it(
      'that takes for ever ends at the wall clock',
      async () => {
        const limits = { maxDurationSeconds: null, maxRenderMs: 2_500 };
        const error = await refusalOf('slow', { output: { ...mp4, frameRange: [0, 299] }, limits });
        expect([error.code, error.message]).toEqual([
          'render_timeout',
          'The render took longer than the 2.5 seconds that are allowed.',
        ]);
      },
      testMs,
    );

    it(
      'that is canceled rejects, and leaves nothing',
      async () => {
        const abort = new AbortController();
        const { ended } = await startSlow(abort.signal);
        abort.abort('canceled');
        expect((await rejectionOf(ended)).code).toBe('render_canceled');
        expect(await readdir(folder)).toEqual([]);
      },
      testMs,
    );

    it(
      'whose machine is lost is worth another attempt',
      async () => {
        const destroy = bench.arrangeLoss();
        const { ended } = await startSlow();
        await destroy();
        const error = await rejectionOf(ended);
        expect([error.code, error.retryable]).toEqual([bench.lossCode, true]);
        expect(await readdir(folder)).toEqual([]);
      },
      testMs,
    );
  });

  describe('a fault of the composition', () => {
    it.each([
      ['throwing', mp4, 'composition_error', 'TypeError: The price of frame '],
      ['throwing', { kind: 'still', format: 'png', frame: 5 }, 'composition_error', 'The price of frame 5'],
      ['missing-image', mp4, 'asset_missing', 'public/no-such-picture.png could not be loaded.'],
      ['hanging', mp4, 'delay_render_timeout', 'delayRender("loading the price list") was called'],
      [
        'nope',
        mp4,
        'composition_not_found',
        'There is no composition "nope" in this project. Available: pic',
      ],
    ] as const)(
      '(%s, %o) is told in words that its developer understands, and not tried again',
      async (compositionId, output, code, text) => {
        const error = await refusalOf(compositionId, { output });
        expect([error.code, error.retryable]).toEqual([code, false]);
        expect(error.message).toContain(text);
        if (code === 'composition_error') expect(error.details?.thrownAt).toMatch(/failures\.tsx:10$/);
      },
      testMs,
    );
  });
};
