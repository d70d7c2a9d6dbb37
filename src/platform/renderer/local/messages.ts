import { type ErrorCode, RendermillError } from '../../../core/errors.ts';
import { cutText, maxReasonLength } from '../../../core/storable-text.ts';
import type {
  ChunkResult,
  ChunkSpec,
  JoinSpec,
  MeasuredVideo,
  RenderProgress,
  RenderResult,
  RenderSpec,
  StillsSpec,
} from '../contract.ts';

/** What the worker and its render child say to each other, as JSON. */
export type ToChild =
  | { readonly type: 'render'; readonly spec: RenderSpec; readonly settings: ChildSettings }
  | { readonly type: 'render-stills'; readonly spec: StillsSpec; readonly settings: ChildSettings }
  | {
      readonly type: 'measure-video';
      readonly spec: Omit<RenderSpec, 'outputPath'>;
      readonly settings: ChildSettings;
    }
  | { readonly type: 'render-chunk'; readonly spec: ChunkSpec; readonly settings: ChildSettings }
  | { readonly type: 'join-chunks'; readonly spec: JoinSpec }
  | { readonly type: 'cancel' }
  | { readonly type: 'close' };

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: RenderProgress }
  /** Something moved that progress does not show, such as a download. */
  | { readonly type: 'alive' }
  | { readonly type: 'done'; readonly result: RenderResult }
  | { readonly type: 'measured'; readonly video: VideoMeasure }
  | { readonly type: 'chunk-done'; readonly result: ChunkResult }
  | { readonly type: 'still'; readonly outcome: WireStillOutcome }
  /** Every item of the call has had its outcome. */
  | { readonly type: 'stills-done' }
  | { readonly type: 'failed'; readonly error: WireError };

export type JobMessage = Exclude<ToChild, { readonly type: 'cancel' | 'close' }>;

export type VideoMeasure = MeasuredVideo & { readonly compositionFrames: number };

/** What became of an item of one call, by its index there. */
export type WireStillOutcome =
  | { readonly index: number; readonly type: 'rendered'; readonly result: RenderResult }
  | { readonly index: number; readonly type: 'failed'; readonly error: WireError }
  /** A page that others used before cannot tell: it must be rendered in a page of its own. */
  | { readonly index: number; readonly type: 'unsure'; readonly reason: string };

export interface ChildSettings {
  readonly browserExecutable: string;
  readonly allowedHosts: readonly string[];
  readonly delayRenderTimeoutMs: number;
  readonly mediaCacheMb: number;
  /** Browser tabs of one video. */
  readonly tabs: number;
}

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | null;
  /** Internal: logged, never sent to a client. */
  readonly internal: string | null;
}

const describeCause = (cause: unknown): string | null => {
  if (cause === undefined) return null;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
};

/** For the log: a stack is longer than a reason, and shorter than what a composition can throw. */
const maxInternalLength = 8_000;
const maxDetailsLength = 16_000;

const smallDetails = (details: WireError['details']): WireError['details'] =>
  details !== null && JSON.stringify(details).length <= maxDetailsLength ? details : null;

export const toWire = (error: RendermillError): WireError => {
  const internal = describeCause(error.cause);
  return {
    code: error.code,
    message: cutText(error.message, maxReasonLength),
    details: smallDetails(error.details ?? null),
    internal: internal === null ? null : cutText(internal, maxInternalLength),
  };
};

export const fromWire = (wire: WireError): RendermillError =>
  new RendermillError(wire.code, {
    message: wire.message,
    ...(wire.details === null ? {} : { details: wire.details }),
    ...(wire.internal === null ? {} : { cause: wire.internal }),
  });
