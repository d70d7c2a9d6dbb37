import type { CapOf, WaitingWork } from '../../core/plan-feed.ts';
import { tierOf } from '../../core/tiers.ts';
import type { Reader } from '../../platform/db/client.ts';

/** How many jobs of each tier the organizations of this work may have at once, by the defaults and what they changed of them. */
export const readCaps = async (
  db: Reader,
  work: readonly Pick<WaitingWork, 'organizationId'>[],
): Promise<CapOf> => {
  const ids = [...new Set(work.map((one) => one.organizationId))];
  const rows = await db
    .selectFrom('organization')
    .select(['id', 'tier_overrides'])
    .where('id', 'in', ids)
    .execute();
  const overrides = new Map(rows.map((row) => [row.id, row.tier_overrides]));
  return (organizationId, tier) => tierOf(tier, overrides.get(organizationId) ?? {}).concurrentRenders;
};
