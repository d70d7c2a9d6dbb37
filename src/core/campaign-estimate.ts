/** How long a batch will take, before it begins and while it runs: a plain proportion, said together with what it is based on. */
import type { RenderMode } from './exports.ts';
import type { ExportKind } from './output.ts';

/** What was measured of earlier exports: sums over those of the same composition and format that were rendered. */
export interface MeasuredPace {
  readonly exports: number;
  /** Milliseconds of rendering. */
  readonly renderMs: number;
  /** US dollars, of those whose cost is known: what ran on Lambda. */
  readonly cost: number;
  /** Of stills: megapixels. Of videos: megapixels × seconds of footage. */
  readonly work: number;
}

export interface Workload {
  readonly kind: ExportKind;
  readonly renderMode: RenderMode;
  /** Megapixels of each cell that is to be rendered, summed; of videos times their seconds of footage. */
  readonly work: number;
}

export type EstimateBasis = 'measured' | 'default';

export interface Estimate {
  readonly seconds: number;
  readonly basis: EstimateBasis;
  /** US dollars; null: nothing is known of it, or it costs nothing beside the workers. */
  readonly cost: number | null;
}

/** A picture of a batch of about one megapixel on one of two shared cores. */
const stillMsPerMegapixel = 130;
/** A first guess for simple motion; the first video that was rendered replaces it. */
const videoMsPerMegapixelSecond = 4_000;

/** Fewer say more of a cold browser than of the composition. */
export const enoughExports = 5;

/** Of Lambda there is none: how fast a function is depends on its memory, and most of a picture there is the start of its browser. */
const defaultPace = ({ kind, renderMode }: Workload): number | null => {
  if (renderMode === 'lambda') return null;
  return kind === 'still' ? stillMsPerMegapixel : videoMsPerMegapixelSecond;
};

/**
 * Null where no worker is live: nobody knows when one comes; and on Lambda before enough was measured there. Nothing to render takes
 * no time. `slots`: renders that run at once.
 */
export const estimateBatch = (
  load: Workload,
  measured: MeasuredPace | null,
  slots: number,
): Estimate | null => {
  if (slots < 1) return null;
  const isMeasured = measured !== null && measured.exports >= enoughExports && measured.work > 0;
  const msPerUnit = isMeasured ? measured.renderMs / measured.work : defaultPace(load);
  if (msPerUnit === null) return null;
  return {
    seconds: Math.ceil((load.work * msPerUnit) / slots / 1000),
    basis: isMeasured ? 'measured' : 'default',
    cost: isMeasured && measured.cost > 0 ? (load.work * measured.cost) / measured.work : null,
  };
};

export interface RunSoFar {
  readonly total: number;
  readonly done: number;
  /** Of those done: without rendering, so they say nothing of the pace. */
  readonly cached: number;
  readonly canceled: number;
  /** Milliseconds since the first start. */
  readonly elapsedMs: number;
}

/** Whole seconds at the pace of this run; null while nothing was rendered. */
export const secondsLeft = ({ total, done, cached, canceled, elapsedMs }: RunSoFar): number | null => {
  if (done >= total) return 0;
  const rendered = done - cached - canceled;
  return rendered <= 0 ? null : Math.ceil(((elapsedMs / rendered) * (total - done)) / 1000);
};
