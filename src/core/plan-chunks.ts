/**
 * Whether a video is rendered whole or cut into chunks for several workers, and into how many. All chunks have the same length, only
 * the last may be shorter: that is what lets the pieces be joined without a seam.
 */

export interface ChunkPlan {
  /** At least 2. */
  readonly count: number;
  readonly framesPerChunk: number;
}

export interface ChunkQuestion {
  /** To be rendered: of the range, not of the composition. */
  readonly frames: number;
  readonly fps: number;
  /** Milliseconds that one slot needs for one frame. */
  readonly msPerFrame: number;
  /** Milliseconds that a chunk costs beside its frames: browser, composition, first picture, encoder, transfer. */
  readonly chunkOverheadMs: number;
  /** Milliseconds that joining takes for each chunk. */
  readonly joinMs: number;
  /** Idle render slots of all workers, the one that asks included. */
  readonly freeSlots: number;
  /** Seconds of footage; what is not longer is rendered whole. */
  readonly thresholdSeconds: number;
}

/** Milliseconds that a chunk costs beside its frames: browser, composition, first picture, encoder, the way through storage. Measured. */
export const chunkOverheadMs = 1_500;
/** Milliseconds that joining takes for each chunk: fetching its files and appending them. Measured. */
export const joinMs = 100;
/** Below five seconds of the usual 30 frames each, a chunk's fixed cost and the encoder's fresh start outweigh what it saves. */
const minFramesPerChunk = 150;
/** Each is a job, two files to transfer and a line in the join. */
const maxChunks = 64;
/** A cut has more ways to fail than a whole render: it must be done by this share of the time. */
const worthwhileShare = 0.8;
/** What cutting may cost of the work itself; the slots belong to others as well. */
const maxOverheadShare = 0.15;
/** What is lost with a killed worker, where chunks are at hand to keep it small. */
const maxLossMs = 120_000;

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/**
 * A chunk lasts whole milliseconds where its frames allow that: Remotion places sounds by those, and would place one that begins in
 * the middle of another chunk up to half of one away from where the whole video has it.
 */
const frameStep = (fps: number): number => (Number.isInteger(fps) ? fps / greatestDivisor(fps, 1_000) : 1);

interface Candidate extends ChunkPlan {
  readonly wallMs: number;
  /** Work that a killed worker loses beyond what may be lost. */
  readonly excessLossMs: number;
}

const estimate = (given: ChunkQuestion, wantedCount: number): Candidate => {
  const step = frameStep(given.fps);
  const framesPerChunk = Math.ceil(given.frames / wantedCount / step) * step;
  // Rounding up may leave nothing for the last of those wanted.
  const count = Math.ceil(given.frames / framesPerChunk);
  const workMs = framesPerChunk * given.msPerFrame;
  const rounds = Math.ceil(count / given.freeSlots);
  return {
    count,
    framesPerChunk,
    wallMs: rounds * (workMs + given.chunkOverheadMs) + count * given.joinMs,
    excessLossMs: Math.max(0, workMs - maxLossMs),
  };
};

const isWorthwhile = (given: ChunkQuestion, { count, framesPerChunk, wallMs }: Candidate): boolean => {
  const wholeMs = given.frames * given.msPerFrame;
  return (
    count >= 2 &&
    framesPerChunk >= minFramesPerChunk &&
    wallMs <= worthwhileShare * wholeMs &&
    count * given.chunkOverheadMs <= maxOverheadShare * wholeMs
  );
};

const compare = (a: Candidate, b: Candidate): number =>
  a.excessLossMs - b.excessLossMs || a.wallMs - b.wallMs || a.count - b.count;

/** The plan that is done soonest, of those that lose little with a worker; null: render it whole. */
export const planChunks = (given: ChunkQuestion): ChunkPlan | null => {
  if (given.frames <= given.thresholdSeconds * given.fps || given.freeSlots < 2) return null;
  const mostChunks = Math.min(maxChunks, Math.floor(given.frames / minFramesPerChunk));
  const counts = Array.from({ length: Math.max(0, mostChunks - 1) }, (_, index) => index + 2);
  const [best] = counts
    .map((count) => estimate(given, count))
    .filter((candidate) => isWorthwhile(given, candidate))
    .toSorted(compare);
  return best === undefined ? null : { count: best.count, framesPerChunk: best.framesPerChunk };
};

/** First and last frame of a chunk, both included, of the whole composition. `number` 0 is the first. */
export const framesOfChunk = (
  plan: ChunkPlan,
  [first, last]: readonly [number, number],
  number: number,
): readonly [number, number] => {
  const from = first + number * plan.framesPerChunk;
  return [from, Math.min(last, from + plan.framesPerChunk - 1)];
};
