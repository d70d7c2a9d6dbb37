import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderProgress, VideoOutput } from '../../../../src/platform/renderer/contract.ts';
import { openChunkWorkshop, renderPieces, type ShowProps, showSpec } from './chunk-support.ts';
import { frameSimilarities, hasFfmpeg, largestDeviation, samplesOf, streamsOf, timesOf } from './decoded.ts';
import { countFrames } from './probe.ts';
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

const mp4: VideoOutput = { kind: 'video', format: 'mp4' };
const webm: VideoOutput = { kind: 'video', format: 'webm' };

/** The same video whole and joined from pieces. */
const renderBothWays = async (
  name: string,
  props: ShowProps,
  output: VideoOutput,
  framesPerChunk: number,
  onProgress?: (progress: RenderProgress) => void,
) => {
  const spec = showSpec(workshop, props, output);
  const whole = join(workshop.directory, `${name}-whole`);
  const wholeResult = await bench.renderer.render({ ...spec, outputPath: whole });
  const pieces = await renderPieces(
    bench.renderer,
    workshop,
    { name, spec, framesPerChunk },
    {
      ...(onProgress ? { onProgress } : {}),
    },
  );
  const joinedResult = await bench.renderer.joinChunks(pieces.join, onProgress ? { onProgress } : {});
  console.log(
    name,
    wholeResult,
    joinedResult,
    pieces.chunks.map((c) => [c.silent, c.renderTimeMs]),
  );
  return { whole, wholeResult, joined: pieces.join.outputPath, joinedResult, pieces };
};

const boxesOf = async (file: string): Promise<string[]> => {
  const bytes = await readFile(file);
  const boxes: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, bytes.readUInt32BE(at))) {
    boxes.push(bytes.toString('latin1', at + 4, at + 8));
  }
  return boxes;
};

describe.runIf(hasFfmpeg)('explore', { timeout: 200_000 }, () => {
  it.each<[string, ShowProps, VideoOutput, number]>([
    ['mp4', { frames: 70, sound: 'sweep' }, mp4, 25],
    ['part', { frames: 70, fps: 25, sound: 'sweep' }, { ...mp4, frameRange: [11, 58] }, 20],
    ['webm', { frames: 40, sound: 'sweep' }, webm, 20],
    ['quiet', { frames: 20 }, mp4, 10],
    ['quietwebm', { frames: 20 }, webm, 10],
  ])('%s', async (name, props, output, per) => {
    const { whole, joined } = await renderBothWays(name, props, output, per);
    const fps = props.fps ?? 30;
    const frames = await countFrames(joined);
    const similar = await frameSimilarities(whole, joined, fps);
    const info: Record<string, unknown> = {
      frames,
      wholeFrames: await countFrames(whole),
      min: Math.min(...similar),
      avg: similar.reduce((a, b) => a + b, 0) / similar.length,
      n: similar.length,
      streamsWhole: await streamsOf(whole),
      streamsJoined: await streamsOf(joined),
      boxes: [await boxesOf(whole), await boxesOf(joined)],
      times: [
        (await timesOf(whole)).slice(0, 4),
        (await timesOf(joined)).slice(0, 4),
        (await timesOf(whole)).at(-1),
        (await timesOf(joined)).at(-1),
      ],
      left: await readdir(workshop.directory),
    };
    if (props.sound) {
      const s = frames / fps;
      const [a, b] = [await samplesOf(whole, s), await samplesOf(joined, s)];
      info.len = [a.length, b.length];
      info.dev = largestDeviation(a, b);
      info.peak = a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    }
    console.log(JSON.stringify(info, null, 1));
  });
});
