/** What the attempts at renders, whole or in parts, work with. */
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { ChunkRenderer, Renderer } from '../../platform/renderer/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import type { BundleCache } from './bundle-cache.ts';
import type { RenderTimeLimits } from './render-spec.ts';

/** Places between which a worker may die; a test kills it at each. */
export type Checkpoint =
  | 'received'
  | 'claimed'
  | 'bundle_ready'
  | 'first_progress'
  | 'half_rendered'
  | 'rendered'
  | 'stored'
  | 'before_commit'
  | 'committed'
  | 'cleaned'
  | 'group_claimed'
  | 'group_half_rendered'
  | 'group_before_commit'
  | 'group_committed'
  | 'chunk_claimed'
  | 'chunk_rendered'
  | 'chunk_stored'
  | 'chunk_committed';

export interface ChunkSettings {
  readonly renderer: ChunkRenderer;
  /** Seconds of footage; longer videos are cut while slots are idle. */
  readonly afterSeconds: number;
}

export interface RunRenderDeps {
  readonly db: Database;
  readonly storage: Storage;
  readonly renderer: Renderer;
  readonly bundles: BundleCache;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerId: string;
  /** Finished files wait here for storage. Exclusive to this process. */
  readonly outputDirectory: string;
  readonly timeLimits: RenderTimeLimits;
  /** Absent: videos are rendered whole. */
  readonly chunks?: ChunkSettings;
  /** What becomes of a render that Lambda has no room for. Default: it waits. */
  readonly whenThrottled?: 'wait' | 'local';
  readonly checkpoint?: (name: Checkpoint) => void;
}
