/**
 * What the page tells the process that opened it. This folder is source for the bundler, which runs it in the browser: it is not
 * compiled with the server but copied beside it, so it imports nothing from outside of itself but packages.
 */

/** Compositions that are added to every project. Remotion permits letters, digits and dashes. */
export const describeCompositionId = 'rendermill-describe';

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
