import { z } from 'zod';
import type { Batch } from '../../domain/batches/batch.ts';
import type { AcceptedRun } from '../../domain/exports/accept-run.ts';

export const acceptanceSchema = z
  .object({
    id: z.uuid(),
    campaignId: z.string().nullable().describe("The tenant's own name for it"),
    status: z.literal('accepted'),
    run: z.int().describe('1, and one more for each retry'),
    cells: z.int().describe('Exports that were reserved'),
    version: z.string(),
    limit: z.int().nullable().describe('Exports a day; null: no limit'),
    remaining: z.int().nullable(),
    resetAt: z.iso.datetime().describe("Start of the organization's next day"),
  })
  .meta({ id: 'CampaignAcceptance', description: 'Accepted: every cell is reserved, none is rendered yet' });

export type CampaignAcceptance = z.infer<typeof acceptanceSchema>;

export const presentAcceptance = (
  batch: Pick<Batch, 'id' | 'campaign_id' | 'version'>,
  { run, reservation }: AcceptedRun,
): CampaignAcceptance => ({
  id: batch.id,
  campaignId: batch.campaign_id,
  status: 'accepted',
  run: run.run,
  cells: run.total,
  version: batch.version,
  limit: reservation.limit,
  remaining: reservation.remaining,
  resetAt: reservation.resetAt.toISOString(),
});
