import { startCampaignFeeder } from '../../features/campaigns/feeder.ts';
import { type CampaignCheckpoint, createCampaignProcessor } from '../../features/campaigns/process.ts';
import type { Resources } from '../resources.ts';

/** Planning waits for the database: a second run needs not wait for a long first one. */
const plannedAtOnce = 2;

export interface CampaignWorkerOptions {
  /** Of the renderer that the workers have. */
  readonly rendererVersion: string;
  readonly checkpoint?: (name: CampaignCheckpoint) => void;
}

/** Feeds the campaign queue and serves it; the lifecycle stops both. */
export const startCampaignWorker = async (
  resources: Resources,
  options: CampaignWorkerOptions,
): Promise<void> => {
  const { config, db, storage, listener, clock, log, lifecycle, campaignQueue: queue } = resources;
  const worker = await queue.startWorker(
    plannedAtOnce,
    createCampaignProcessor({ db, storage, clock, ...options }),
  );
  lifecycle.onStop('campaigns', () => worker.close(config.SHUTDOWN_SECONDS * 1000));
  const feeder = startCampaignFeeder({ db, queue, listener, clock, log });
  lifecycle.onStop('feeder of campaigns', () => feeder.stop());
};
