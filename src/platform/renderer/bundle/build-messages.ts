import type { CompositionDescription } from './entry/protocol.ts';

/** From the service to the process that builds. */
export interface BuildRequest {
  readonly projectPath: string;
  readonly outputDirectory: string;
  readonly browserExecutable: string;
  readonly allowedHosts: readonly string[];
  readonly entryPoint: string;
  /** Private to this build; removed after it. */
  readonly directory: string;
}

/** Back, once. */
export type BuildAnswer =
  | {
      readonly kind: 'built';
      readonly compositions: readonly CompositionDescription[];
      readonly compileMs: number;
      readonly describeMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly details?: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'crashed'; readonly message: string };
