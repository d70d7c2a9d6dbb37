/**
 * What the page tells the process that opened it. This folder is source for the bundler, which runs it in the browser: it is not
 * compiled with the server but copied beside it, so it imports nothing from outside of itself but packages.
 */

/** Compositions that are added to every project. Remotion permits letters, digits and dashes. */
export const describeCompositionId = 'rendermill-describe';
/** There only when it is asked for by name; frame i shows item i. */
export const stillsCompositionId = 'rendermill-stills';

export interface CompositionDescription {
  readonly id: string;
  /** As declared; null where calculateMetadata decides. Pixels, frames per second, frames. */
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly durationInFrames: number | null;
  /** JSON; a Date is an ISO string. */
  readonly defaultProps: Readonly<Record<string, unknown>>;
  readonly hasCalculateMetadata: boolean;
  /** JSON Schema (draft 2020-12 or 7) of the props as a client sends them; null: the project has none. */
  readonly propsSchema: Readonly<Record<string, unknown>> | null;
  /** What the JSON Schema cannot say of the project's own schema. */
  readonly schemaNotes: readonly string[];
}

/** A description as it leaves the page: what calculateMetadata threw is for the caller to judge. */
export interface PageDescription extends CompositionDescription {
  readonly metadataError: string | null;
}

export interface StillsPageItem {
  /** As Remotion writes them into a page: JSON with marked dates. */
  readonly serializedInputProps: string;
  /** Zero-based; negative counts from the end. */
  readonly frame: number;
}

/** The props of `rendermill-stills`. */
export interface StillsPageProps {
  readonly compositionId: string;
  /** Pixels of every item's layout. */
  readonly width: number;
  readonly height: number;
  readonly items: readonly StillsPageItem[];
}

export interface StillsPageError {
  /** The error's class, as the browser's debugger names it. */
  readonly name: string;
  readonly message: string;
  /** With the message in its first lines. */
  readonly stack: string;
}

/** What the page says of the picture that was just taken. */
export type StillsPageReport =
  | { readonly type: 'shown'; readonly index: number }
  | { readonly type: 'frame-out-of-range'; readonly index: number; readonly durationInFrames: number }
  | { readonly type: 'failed'; readonly index: number; readonly error: StillsPageError }
  /** Whether it failed, and of what, cannot be told in a page that others used before. */
  | { readonly type: 'unsure'; readonly index: number; readonly reason: string };

/** The report leaves the page as an artifact, the one thing that a picture can bring along. */
export const reportFileName = (index: number): string => `rendermill-still-${index}.json`;
