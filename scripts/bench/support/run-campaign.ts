/** The campaign of the bench, through the API and the queue, as a tenant's backend would ask for it. */
import { join } from 'node:path';
import type { Client } from '../../../src/client/client.ts';
import { unpackArchive } from '../../support/unpack-archive.ts';
import { type BenchVariant, benchCompositionId, benchSizes } from './campaign-cells.ts';
import type { PictureSums } from './picture-sums.ts';

export interface FinishedCampaign {
  readonly id: string;
  /** From the request to the close, as the client sees them. */
  readonly seconds: number;
  /** Cells whose file was there. */
  readonly cached: number;
}

export interface CampaignRunner {
  /** One still of its own, so that worker, browser and bundle are as warm as what they are compared with. */
  warmUp(): Promise<void>;
  /** Rejects where a cell has no file. */
  run(variants: readonly BenchVariant[]): Promise<FinishedCampaign>;
  /** Of the files as they are handed out, out of the campaign's archive. */
  sumsOf(campaignId: string): Promise<PictureSums>;
}

const who = { userId: 'bench', projectId: 'bench' } as const;

export const createCampaignRunner = async (client: Client, folder: string): Promise<CampaignRunner> => {
  await client.putUser(who.userId, { tier: 'unlimited' });
  return {
    warmUp: async () =>
      void (await client.renderStill({ ...who, compositionId: benchCompositionId, format: 'png' })),
    run: async (variants) => {
      const begun = performance.now();
      const { id } = await client.createCampaign({
        ...who,
        compositionId: benchCompositionId,
        format: 'png',
        sizes: [...benchSizes],
        variants: [...variants],
      });
      for await (const _message of client.watchCampaign(id));
      const seconds = (performance.now() - begun) / 1000;
      const { counts, rendering } = await client.getCampaign(id);
      if (counts.succeeded !== counts.total)
        throw new Error(`${counts.succeeded} of ${counts.total} cells have a file`);
      if (rendering?.how !== 'together') console.log(`  rendered ${rendering?.how}: ${rendering?.reason}`);
      return { id, seconds, cached: counts.cached };
    },
    sumsOf: async (campaignId) => {
      const zip = join(folder, 'campaign.zip');
      await client.downloadArchive({ campaignId, layout: 'flat', manifest: true }, zip);
      const { files } = await unpackArchive(zip, join(folder, 'campaign'));
      return new Map(files.map(({ variant, size, foundSha256 }) => [`${variant} ${size}`, foundSha256]));
    },
  };
};
