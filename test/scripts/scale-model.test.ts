import { describe, expect, test } from 'vitest';
import { type ModelInput, modelWall } from '../../scripts/bench/scale/model.ts';

/** A minute at 40 ms a frame; a megabyte takes 8 ms. */
const minute: ModelInput = {
  frames: 1_800,
  fps: 30,
  thresholdSeconds: 20,
  claimMs: 50,
  measureMs: 400,
  feedMs: 20,
  msPerFrame: 40,
  chunkMs: 1_200,
  joinMs: 1_000,
  joinedChunks: 4,
  joinMsPerChunk: 60,
  chunkBytes: 20e6,
  fileBytes: 10e6,
};

describe('the model of bench:scale', () => {
  test('has one machine render the video whole', () => {
    expect(modelWall(minute, 1)).toEqual({
      machines: 1,
      chunks: 1,
      framesPerChunk: 1_800,
      wallMs: 50 + 1_200 + 72_000 + 80,
    });
  });

  test('adds up claim, cut, one round of chunks with their transfer, and the join with its own', () => {
    expect(modelWall(minute, 4)).toEqual({
      machines: 4,
      chunks: 4,
      framesPerChunk: 450,
      wallMs: 50 + 400 + (20 + 1_200 + 18_000 + 40) + (1_000 + 240),
    });
  });

  test('lets the join cost less for fewer chunks, and more for more', () => {
    const joinOf = (machines: number): number => {
      const { chunks, framesPerChunk, wallMs } = modelWall(minute, machines);
      const uploadMs = (160 * framesPerChunk) / minute.frames;
      expect(chunks).toBe(machines);
      return wallMs - 450 - (1_220 + framesPerChunk * 40 + uploadMs) - 240;
    };
    expect([2, 4, 6].map((machines) => Math.round(joinOf(machines)))).toEqual([880, 1_000, 1_120]);
  });

  test('wins nothing by machines that the plan has no chunks for', () => {
    const [some, more] = [modelWall(minute, 16), modelWall(minute, 64)];
    expect(more).toEqual({ ...some, machines: 64 });
    expect(some.chunks).toBeLessThan(16);
  });
});
