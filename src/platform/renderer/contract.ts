/**
 * The renderer port: a composition in, a file out. It knows no business rule; what may be rendered was decided before, and the
 * limits that only a resolved composition can be checked against come along in `limits`.
 */
import type { RendermillError } from '../../core/errors.ts';
import type { StillFormat, VideoFormat } from '../../core/output.ts';

export interface StillOutput {
  readonly kind: 'still';
  readonly format: StillFormat;
  /** Zero-based; negative counts from the end (-1 is the last frame). */
  readonly frame: number;
}

export interface VideoOutput {
  readonly kind: 'video';
  readonly format: VideoFormat;
  /** Both ends included, zero-based; absent: the whole composition. */
  readonly frameRange?: readonly [number, number];
}

export interface RenderSpec {
  /** Browsers, and everything that they keep, are shared within an organization and never beyond it. */
  readonly organizationId: string;
  /** Absolute folder of the unpacked bundle (the one that holds index.html). */
  readonly bundlePath: string;
  /** Names the bundle's content: hex digits. */
  readonly bundleVersion: string;
  readonly compositionId: string;
  readonly inputProps: Readonly<Record<string, unknown>>;
  readonly output: StillOutput | VideoOutput;
  /** Pixels; absent: the composition's own. */
  readonly width?: number;
  readonly height?: number;
  /** Multiplies the pixels of the output, not of the layout. Default 1. */
  readonly scale?: number;
  /** 1 to 100; of a jpeg still, and of the frames and the rate of a video. Absent: the renderer's default. */
  readonly quality?: number;
  readonly limits: RenderLimits;
  /** How many frames it is thought to have, before calculateMetadata has run; absent: not known. */
  readonly expectedFrames?: number;
  /** Whether someone waits for it, or for all of its kind together: wide or narrow, where a renderer can be both. Default interactive. */
  readonly urgency?: 'interactive' | 'batch';
  /** Absolute; the folder exists and is the caller's. Nothing is left there after a rejection. */
  readonly outputPath: string;
}

/** Held against the composition after its calculateMetadata has run. */
export interface RenderLimits {
  /** Seconds of footage; null: no limit. Exceeding it rejects with `duration_exceeds_tier`. */
  readonly maxDurationSeconds: number | null;
  /** Wall-clock milliseconds for the whole render. Exceeding it rejects with `render_timeout`. */
  readonly maxRenderMs: number;
}

export type RenderStage = 'preparing' | 'rendering' | 'encoding';

export interface RenderProgress {
  readonly stage: RenderStage;
  /** 0 to 100, never falling within one render. */
  readonly percent: number;
  readonly renderedFrames: number;
  readonly totalFrames: number;
  /** Milliseconds; null while there is nothing to estimate from. */
  readonly timeLeftMs: number | null;
}

export interface RenderResult {
  /** Pixels of the file, `scale` included. */
  readonly width: number;
  readonly height: number;
  /** Seconds of footage; null for a still. */
  readonly durationSeconds: number | null;
  /** Milliseconds of work; where several machines did it, of all together. */
  readonly renderTimeMs: number;
  /** US dollars that somebody will be billed for; null: nobody is. */
  readonly cost: number | null;
}

/** A render that goes on elsewhere, whoever watches it. */
export interface RemoteRender {
  readonly renderId: string;
  readonly bucketName: string;
  readonly functionName: string;
  readonly region: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** How a render that goes on elsewhere is found again after its watcher was lost. */
export interface RemoteMemory {
  /** Started by an earlier attempt, and perhaps still going on: it is watched instead of starting another. */
  readonly before: RemoteRender | null;
  /** Called once, as soon as it is known. Resolves when it is kept. */
  save(remote: RemoteRender): Promise<void>;
}

export interface RenderOptions {
  /**
   * Aborting ends the render, and all processes that it started, and rejects with `render_canceled`. A render that goes on elsewhere
   * is ended only where the signal's reason is 'canceled'; for any other it is left to whoever watches it next.
   */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RenderProgress) => void;
  readonly remote?: RemoteMemory;
}

/** One picture of many that differ in nothing but props and frame. */
export interface StillItem {
  readonly inputProps: Readonly<Record<string, unknown>>;
  /** Zero-based; negative counts from the end. */
  readonly frame: number;
  /** Absolute; the folder exists and is the caller's. Nothing is left there where the item failed. */
  readonly outputPath: string;
}

export interface StillsSpec {
  /** As in RenderSpec. */
  readonly organizationId: string;
  readonly bundlePath: string;
  readonly bundleVersion: string;
  readonly compositionId: string;
  readonly format: StillFormat;
  /** Pixels of the layout; `scale` multiplies those of the file. Within the limits of core/output.ts. */
  readonly width: number;
  readonly height: number;
  readonly scale?: number;
  readonly quality?: number;
  /** At least one. */
  readonly items: readonly StillItem[];
  /** Wall-clock milliseconds of one picture. */
  readonly maxStillMs: number;
}

/** What became of one item, by its index in `items`. */
export type StillOutcome =
  | { readonly index: number; readonly type: 'rendered'; readonly result: RenderResult }
  | { readonly index: number; readonly type: 'failed'; readonly error: RendermillError };

export interface StillsOptions {
  readonly signal?: AbortSignal;
  /** Called once for each item, as soon as its file is whole or its failure is known. */
  readonly onOutcome: (outcome: StillOutcome) => void;
}

export interface Renderer {
  readonly mode: 'local' | 'lambda';
  /** What decides about pixels beside the bundle and the order: the same version, the same file. */
  readonly version: string;
  /**
   * Many stills of one composition in one size: in one page where that works, byte for byte what `render` makes of each unless the
   * composition keeps state outside of its components. What one item does wrong fails that item only, with the code that `render`
   * would reject with. Rejects only when the signal is aborted (`render_canceled`) or the renderer closes; items without an outcome
   * by then were not rendered.
   */
  renderStills(spec: StillsSpec, options: StillsOptions): Promise<void>;
  /** Rejects with a RendermillError whose code says whose fault it was and whether another attempt makes sense. */
  render(spec: RenderSpec, options?: RenderOptions): Promise<RenderResult>;
  /** Ends every process that the renderer started. May be called twice. */
  close(): Promise<void>;
}

/** A renderer whose videos go on elsewhere, whoever watches them. */
export interface RemoteRenderer extends Renderer {
  /**
   * Ends a render that nobody will watch again, and removes what it wrote, as far as there is anything left of it. Resolves once it is told
   * to stop. Rejects where it could not be told: nothing is known of it then.
   */
  discard(remote: RemoteRender): Promise<void>;
}

/** A video as it would be rendered, known only after its calculateMetadata has run. */
export interface MeasuredVideo {
  /** Pixels of the file. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** First and last frame of the composition that are rendered, both included. */
  readonly frameRange: readonly [number, number];
}

/** One piece of a video: what `RenderSpec` says of the whole, and which frames. */
export interface ChunkSpec extends Omit<RenderSpec, 'outputPath'> {
  readonly output: VideoOutput;
  /** Both ends included, of the whole composition. */
  readonly frames: readonly [number, number];
  /** Of the whole video. */
  readonly frameRange: readonly [number, number];
  /** Absolute, without an extension; the folder exists and is the caller's. Nothing is left there after a rejection. */
  readonly outputBase: string;
}

export interface ChunkResult {
  /** Absolute. */
  readonly videoPath: string;
  /** Absolute; null: the format carries no sound. */
  readonly audioPath: string | null;
  /** Nothing sounds in it. Where that holds for all chunks, the whole has no sound track, and is joined without one. */
  readonly silent: boolean;
  readonly renderTimeMs: number;
}

export interface JoinSpec {
  readonly output: VideoOutput;
  readonly organizationId: string;
  readonly video: MeasuredVideo;
  /** Of every chunk but the last, which may have fewer. More than 4. */
  readonly framesPerChunk: number;
  /** Of the whole composition. */
  readonly compositionFrames: number;
  /** Absolute, in the order of the frames. */
  readonly videoPaths: readonly string[];
  /** Absolute; empty: the format carries no sound. */
  readonly audioPaths: readonly string[];
  readonly maxRenderMs: number;
  readonly outputPath: string;
}

/** Renders one video in pieces, on as many machines as there are, and joins them without a seam. */
export interface ChunkRenderer {
  /** Rejects as `render` does for what only the resolved composition can tell. */
  measureVideo(
    spec: Omit<RenderSpec, 'outputPath'>,
    options?: RenderOptions,
  ): Promise<MeasuredVideo & { readonly compositionFrames: number }>;
  renderChunk(spec: ChunkSpec, options?: RenderOptions): Promise<ChunkResult>;
  /** Rejects with `render_failed` where the pieces do not make up the whole: a frame too many, or too few. */
  joinChunks(spec: JoinSpec, options?: RenderOptions): Promise<RenderResult>;
}

/** Formats that can be cut. A gif has one palette, and joining it is rendering it again. */
export const cuttableFormats: ReadonlySet<VideoFormat> = new Set<VideoFormat>(['mp4', 'webm']);

/** A renderer that keeps browsers warm between renders. */
export interface LocalRenderer extends Renderer, ChunkRenderer {
  readonly mode: 'local';
  /** Ends what is idle, and gives back the disk space and the memory that it holds. Running renders are left alone. */
  trim(): Promise<void>;
}
