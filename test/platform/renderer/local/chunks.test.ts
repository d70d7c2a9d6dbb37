import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderProgress, VideoOutput } from '../../../../src/platform/renderer/contract.ts';
import { openChunkWorkshop, type Pieces, renderPieces, type ShowProps, showSpec } from './chunk-support.ts';
import { frameSimilarities, hasFfmpeg, largestDeviation, samplesOf, streamsOf, timesOf } from './decoded.ts';
import { type Bench, openBench, type Workshop } from './support.ts';

let workshop: Workshop;
let bench: Bench;

beforeAll(async () => {
  workshop = await openChunkWorkshop();
  bench = await openBench(workshop);
});

afterAll(async () => {
  await bench.close();
  await workshop.remove();
});

if (!hasFfmpeg)
  console.warn('SKIPPED: joined videos are not compared, since there is no ffmpeg on this machine.');

const mp4: VideoOutput = { kind: 'video', format: 'mp4' };
const webm: VideoOutput = { kind: 'video', format: 'webm' };

interface BothWays {
  readonly whole: string;
  readonly joined: string;
  readonly pieces: Pieces;
  readonly results: readonly unknown[];
  readonly told: { readonly chunks: RenderProgress[]; readonly join: RenderProgress[] };
}

/** The same video whole and joined from pieces. */
const renderBothWays = async (
  name: string,
  props: ShowProps,
  output: VideoOutput,
  framesPerChunk: number,
): Promise<BothWays> => {
  const { renderer } = bench;
  const spec = showSpec(workshop, props, output);
  const whole = join(workshop.directory, `${name}-whole`);
  const told: BothWays['told'] = { chunks: [], join: [] };
  const wholeResult = await renderer.render({ ...spec, outputPath: whole });
  const pieces = await renderPieces(renderer, workshop, { name, spec, framesPerChunk }, (progress) =>
    told.chunks.push(progress),
  );
  const joinedResult = await renderer.joinChunks(pieces.join, {
    onProgress: (progress) => told.join.push(progress),
  });
  const results = [wholeResult, joinedResult].map(({ renderTimeMs: _, ...rest }) => rest);
  return { whole, joined: pieces.join.outputPath, pieces, results, told };
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** A WebM counts in milliseconds. */
const expectRegular = (times: readonly number[], frames: number, fps: number): void => {
  expect(times).toHaveLength(frames);
  const late = times.map((time, index) => Math.abs(time - index / fps));
  expect(Math.max(...late)).toBeLessThanOrEqual(0.0011);
};

/** Every frame is there, at its time, and looks as it does in the whole. */
const expectSamePicture = async ({ whole, joined }: BothWays, frames: number, fps: number) => {
  expect(await streamsOf(joined)).toEqual(await streamsOf(whole));
  expectRegular(await timesOf(joined), frames, fps);
  expectRegular(await timesOf(whole), frames, fps);
  const similarities = await frameSimilarities(whole, joined, fps);
  expect(similarities).toHaveLength(frames);
  expect(Math.min(...similarities)).toBeGreaterThan(0.98);
  expect(mean(similarities)).toBeGreaterThan(0.99);
};

/** Sample for sample, at the joins too. */
const expectSameSound = async ({ whole, joined }: BothWays, seconds: number) => {
  const [expected, found] = [await samplesOf(whole, seconds), await samplesOf(joined, seconds)];
  expect(expected).toHaveLength(Math.round(seconds * 48_000) * 2);
  expect(largestDeviation(expected, new Float32Array(expected.length))).toBeGreaterThan(0.2);
  expect(largestDeviation(expected, found)).toBeLessThanOrEqual(0.0001);
};

/** The kinds of the file's parts, in their order. */
const boxesOf = async (file: string): Promise<string[]> => {
  const bytes = await readFile(file);
  const boxes: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, bytes.readUInt32BE(at))) {
    boxes.push(bytes.toString('latin1', at + 4, at + 8));
  }
  return boxes;
};

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => /filelist|join-|chunk\.|row\./.test(name));

describe.runIf(hasFfmpeg)('a video in pieces is the same as in one', { timeout: 120_000 }, () => {
  it('as an mp4 whose sound begins within a chunk', async () => {
    const both = await renderBothWays('mp4', { frames: 70, sound: 'sweep', soundFrom: 33 }, mp4, 24);
    await expectSamePicture(both, 70, 30);
    await expectSameSound(both, 70 / 30);
    expect(both.pieces.chunks.map(({ silent }) => silent)).toEqual([true, false, false]);
    expect(both.results[1]).toEqual(both.results[0]);
    // What is at the end of the file must be at its front before a player can begin.
    expect(await boxesOf(both.joined)).toEqual(await boxesOf(both.whole));
    const { chunks, join: joining } = both.told;
    expect([...new Set(chunks.map(({ stage }) => stage))]).toEqual(['preparing', 'rendering', 'encoding']);
    const last = chunks.filter(({ percent }) => percent === 100);
    expect(last.map(({ renderedFrames, totalFrames }) => [renderedFrames, totalFrames])).toEqual([
      [24, 24],
      [24, 24],
      [22, 22],
    ]);
    expect(new Set(joining.map(({ stage }) => stage))).toEqual(new Set(['encoding']));
    expect(joining.at(-1)).toMatchObject({ percent: 100, renderedFrames: 70, totalFrames: 70 });
    expect(await filesIn(bench.workDirectory)).toEqual([]);
  });

  it('of a part of the frames, at 25 a second, with sound at 44.1 kHz', async () => {
    const output: VideoOutput = { ...mp4, frameRange: [11, 51] };
    const props = { frames: 60, fps: 25, sampleRate: 44_100, sound: 'sweep' } as const;
    const both = await renderBothWays('part', props, output, 21);
    expect(both.pieces.join.video).toEqual({ width: 320, height: 180, fps: 25, frameRange: [11, 51] });
    await expectSamePicture(both, 41, 25);
    await expectSameSound(both, 41 / 25);
    expect((await streamsOf(both.joined))[1]?.sample_rate).toBe('44100');
  });

  it('as a webm with sound', async () => {
    const both = await renderBothWays('webm', { frames: 20, sound: 'sweep' }, webm, 12);
    await expectSamePicture(both, 20, 30);
    await expectSameSound(both, 20 / 30);
  });

  it('as an mp4 without any sound', async () => {
    const both = await renderBothWays('quiet-mp4', { frames: 12 }, mp4, 6);
    expect(both.pieces.chunks.map(({ silent }) => silent)).toEqual([true, true]);
    expect(await streamsOf(both.joined)).toHaveLength(1);
    await expectSamePicture(both, 12, 30);
  });

  it('as a webm without any sound, however many pieces there are', async () => {
    // Seven frames are no whole number of the milliseconds in which a WebM counts.
    const both = await renderBothWays('quiet-webm', { frames: 14 }, webm, 7);
    expect(await streamsOf(both.joined)).toHaveLength(1);
    await expectSamePicture(both, 14, 30);
    const { video, videoPaths } = both.pieces.join;
    const many = {
      ...both.pieces.join,
      video: { ...video, frameRange: [0, 30 * 7 - 1] as const },
      compositionFrames: 30 * 7,
      videoPaths: Array.from({ length: 30 }, () => videoPaths[0] ?? ''),
      outputPath: join(workshop.directory, 'many'),
    };
    await bench.renderer.joinChunks(many);
    expectRegular(await timesOf(many.outputPath), 30 * 7, 30);
  });
});
