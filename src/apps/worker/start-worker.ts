import type { Checkpoint } from '../../features/renders/render-deps.ts';
import { findBrowser } from '../../platform/renderer/browser/find-browser.ts';
import { rendererVersion } from '../../platform/renderer/renderer-version.ts';
import type { Resources } from '../resources.ts';
import { startWatchingModes } from '../watch-modes.ts';
import { startFolding } from './fold-statistics.ts';
import { startMaintenance } from './maintenance.ts';
import { startCampaignWorker } from './start-campaign-worker.ts';
import { startRenderWorker } from './start-render-worker.ts';

/** `render` renders; `campaign` plans batches and closes them, and takes next to nothing of the machine. */
export const servedQueues = ['render', 'campaign'] as const;
export type ServedQueue = (typeof servedQueues)[number];

export interface WorkerOptions {
  /** Renders at once. */
  readonly concurrency: number;
  /** Default: all. */
  readonly queues?: readonly ServedQueue[];
  readonly checkpoint?: (name: Checkpoint) => void;
}

export interface RunningWorker {
  /** Null where it does not render. */
  readonly id: string | null;
  readonly browserExecutable: string;
}

export const startWorker = async (resources: Resources, options: WorkerOptions): Promise<RunningWorker> => {
  const { config, lifecycle } = resources;
  const { queues = servedQueues, ...renders } = options;
  // Also who plans only needs to know which browser renders: it is a part of what a file is found under.
  const { path: browserExecutable } = await findBrowser(
    config.BROWSER_EXECUTABLE === undefined ? {} : { explicitPath: config.BROWSER_EXECUTABLE },
  );
  const maintenance = startMaintenance(resources);
  lifecycle.onStop('maintenance', () => maintenance.stop());
  const folding = startFolding(resources);
  lifecycle.onStop('statistics', () => folding.stop());
  if (queues.includes('campaign')) {
    await startCampaignWorker(resources, { rendererVersion: await rendererVersion(browserExecutable) });
  }
  const id = queues.includes('render')
    ? await startRenderWorker(resources, { ...renders, browserExecutable })
    : null;
  // After the first heartbeat: what this worker serves is not looked for in vain.
  startWatchingModes(resources);
  return { id, browserExecutable };
};
