import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderProgress, RenderSpec } from '../../../../src/platform/renderer/contract.ts';
import { probe } from './probe.ts';
import { type Bench, openBench, openWorkshop, rejectionOf, specOf, type Workshop } from './support.ts';

let workshop: Workshop;
let bench: Bench;

beforeAll(async () => {
  workshop = await openWorkshop();
  bench = await openBench(workshop);
});

afterAll(async () => {
  await bench.close();
  await workshop.remove();
});

const renderToFile = async (
  compositionId: string,
  changes: Partial<RenderSpec>,
  onProgress: (progress: RenderProgress) => void = () => undefined,
) => {
  const spec = specOf(workshop, compositionId, changes);
  const result = await bench.renderer.render(spec, { onProgress });
  return {
    result,
    read: () => readFile(spec.outputPath),
    probe: () => probe(spec.outputPath),
    remove: () => rm(spec.outputPath),
  };
};

describe('a still', () => {
  it.each([
    ['png', '89504e470d0a1a0a'],
    ['jpeg', 'ffd8ff'],
    ['webp', '52494646'],
  ] as const)('becomes a real %s', async (format, magic) => {
    const file = await renderToFile('picture', { output: { kind: 'still', format, frame: -1 } });
    const bytes = await file.read();
    expect(bytes.subarray(0, magic.length / 2).toString('hex')).toBe(magic);
    expect(file.result).toMatchObject({ width: 320, height: 180, durationSeconds: null });
    await file.remove();
  });

  it('has the size that was asked for, times the scale', async () => {
    const file = await renderToFile('picture', { width: 200, height: 101, scale: 1.5 });
    const bytes = await file.read();
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([300, 152]);
    expect(file.result).toMatchObject({ width: 300, height: 152 });
    await file.remove();
  });

  it('is smaller as a jpeg of less quality', async () => {
    const sizes: number[] = [];
    for (const quality of [95, 10]) {
      const file = await renderToFile('picture', {
        output: { kind: 'still', format: 'jpeg', frame: 0 },
        quality,
      });
      sizes.push((await file.read()).length);
      await file.remove();
    }
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) / 2);
  });

  it('follows the size that calculateMetadata makes of the props', async () => {
    const file = await renderToFile('sized', { inputProps: { width: 64, height: 48 } });
    expect(file.result).toMatchObject({ width: 64, height: 48 });
    await file.remove();
  });
});

describe('a video', () => {
  it.each([
    ['mp4', ['h264,320,180,30', 'aac,']],
    ['webm', ['vp9,320,180,30', 'opus,']],
    ['gif', ['gif,320,180,30']],
  ] as const)('becomes a real %s, with its sound', async (format, streams) => {
    const told: RenderProgress[] = [];
    const file = await renderToFile('tone', { output: { kind: 'video', format } }, (progress) =>
      told.push(progress),
    );
    const found = await file.probe();
    expect(found.map((line, index) => line.slice(0, streams[index]?.length))).toEqual(streams);
    expect(file.result).toMatchObject({ width: 320, height: 180, durationSeconds: 1 });
    expect([...new Set(told.map(({ stage }) => stage))]).toEqual(['preparing', 'rendering', 'encoding']);
    const percents = told.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(told.at(-1)).toMatchObject({ percent: 100, renderedFrames: 30, totalFrames: 30 });
    await file.remove();
  });

  it('has only the frames that were asked for', async () => {
    const output = { kind: 'video', format: 'mp4', frameRange: [5, 9] } as const;
    const file = await renderToFile('picture', { output });
    expect((await file.probe())[0]).toBe('h264,320,180,5');
    await file.remove();
  });

  it('of an odd size is trimmed, and the result says so', async () => {
    const file = await renderToFile('odd', { output: { kind: 'video', format: 'mp4' }, scale: 0.5 });
    expect((await file.probe())[0]).toBe('h264,50,36,6');
    expect(file.result).toMatchObject({ width: 50, height: 36 });
    await file.remove();
  });
});

describe('what only the resolved composition can tell', () => {
  it.each<[string, string, Partial<RenderSpec>, string]>([
    [
      'a composition that is not there',
      'nope',
      {},
      'There is no composition "nope" in this project. Available: picture, ',
    ],
    [
      'a frame that is not there',
      'picture',
      { output: { kind: 'still', format: 'png', frame: 30 } },
      'Frame 30 lies outside the composition, which has the frames 0 to 29.',
    ],
    [
      'footage that calculateMetadata made too long',
      'sized',
      {
        inputProps: { seconds: 7 },
        output: { kind: 'video', format: 'mp4' },
        limits: { maxDurationSeconds: 5, maxRenderMs: 60_000 },
      },
      "The video is 7 seconds long; the user's tier allows 5.",
    ],
    [
      'a picture that calculateMetadata made too large',
      'sized',
      { inputProps: { width: 9000 } },
      'The picture would be 9000 x 180 pixels; at most 8192 along a side',
    ],
  ])('%s is refused', async (_, compositionId, changes, text) => {
    const error = await rejectionOf(bench.render(compositionId, changes));
    expect(error.message).toContain(text);
    expect(error.status).toBeLessThan(500);
    await bench.expectNothingOf(compositionId);
  });
});
