import { availableParallelism } from 'node:os';
import type { Logger } from '../../log/log.ts';

export interface LocalRendererOptions {
  /** Absolute, for this process alone; created. Everything that a render writes before it is finished lies here. */
  readonly workDirectory: string;
  /** Renders at a time. */
  readonly slots: number;
  /** Absolute path of the browser's own binary; a script would outlive the child that started it. */
  readonly browserExecutable: string;
  /** Hosts that compositions may ask; empty: no network. */
  readonly allowedHosts: readonly string[];
  readonly log: Logger;
  /** Of one render's processes together. Default 2048. */
  readonly memoryLimitMb?: number;
  /** A render without any progress for so long has stalled. Must exceed `delayRenderTimeoutMs`. Default 60,000. */
  readonly stallMs?: number;
  /** How long a composition may hold a frame with delayRender(). At least 7,000, Remotion's own minimum. Default 30,000. */
  readonly delayRenderTimeoutMs?: number;
  /** Chromium grows with what it renders: a child is replaced after so many renders. Default 100. */
  readonly recycleAfterRenders?: number;
  /** For decoded media, per slot. Remotion's own default is half of the free memory for every render. Default 256. */
  readonly mediaCacheMb?: number;
}

export type LocalRendererSettings = Required<LocalRendererOptions>;

export const withDefaults = (options: LocalRendererOptions): LocalRendererSettings => ({
  memoryLimitMb: 2048,
  stallMs: 60_000,
  delayRenderTimeoutMs: 30_000,
  recycleAfterRenders: 100,
  mediaCacheMb: 256,
  ...options,
});

/** Browser tabs of one video. A single slot takes the whole machine; several share it. */
export const tabsPerRender = (slots: number, cores = availableParallelism()): number =>
  Math.max(1, Math.floor(cores / slots));
