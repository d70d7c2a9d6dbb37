/** How long the video would take on so many machines, from parts that were measured on one. */
import { chunkOverheadMs, joinMs, planChunks } from '../../../src/core/plan-chunks.ts';

/** As features/renders/chunks/cut-video.ts tells the plan, whatever this machine measures. */
const assumedByProduct = { chunkOverheadMs, joinMs } as const;

const bitsPerMs = 1e6;

/** Milliseconds, of a machine that does nothing else. */
export interface ModelInput {
  readonly frames: number;
  readonly fps: number;
  readonly thresholdSeconds: number;
  readonly claimMs: number;
  readonly measureMs: number;
  /** From the cut to the worker that has the chunk. */
  readonly feedMs: number;
  readonly msPerFrame: number;
  readonly chunkMs: number;
  readonly joinMs: number;
  /** Of how many chunks `joinMs` was measured. */
  readonly joinedChunks: number;
  readonly joinMsPerChunk: number;
  /** Of all chunks' files together. */
  readonly chunkBytes: number;
  readonly fileBytes: number;
}

export interface ModelRow {
  readonly machines: number;
  /** 1: rendered whole. */
  readonly chunks: number;
  readonly framesPerChunk: number;
  readonly wallMs: number;
}

const transferMs = (bytes: number): number => (bytes * 8) / bitsPerMs;

const wholeMs = (given: ModelInput): number =>
  given.claimMs + given.chunkMs + given.frames * given.msPerFrame + transferMs(given.fileBytes);

/** Each machine has one slot. The join fetches all chunks, one after the other. */
export const modelWall = (given: ModelInput, machines: number): ModelRow => {
  const plan = planChunks({ ...given, ...assumedByProduct, freeSlots: machines });
  if (plan === null) return { machines, chunks: 1, framesPerChunk: given.frames, wallMs: wholeMs(given) };
  const { count, framesPerChunk } = plan;
  const rounds = Math.ceil(count / machines);
  const chunkMs =
    given.feedMs +
    given.chunkMs +
    framesPerChunk * given.msPerFrame +
    transferMs((given.chunkBytes * framesPerChunk) / given.frames);
  const joiningMs =
    Math.max(0, given.joinMs + (count - given.joinedChunks) * given.joinMsPerChunk) +
    transferMs(given.chunkBytes + given.fileBytes);
  return {
    machines,
    chunks: count,
    framesPerChunk,
    wallMs: given.claimMs + given.measureMs + rounds * chunkMs + joiningMs,
  };
};
