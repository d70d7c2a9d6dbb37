import type { Selectable } from 'kysely';
import type { TierName } from '../../core/tiers.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { EndUserTable } from '../../platform/db/schema.ts';

export type User = Selectable<EndUserTable>;

/** First sight creates a user, tier free. */
export const ensureUser = async (tx: Tx, organizationId: string, id: string): Promise<User> => {
  await tx
    .insertInto('end_user')
    .values({ organization_id: organizationId, id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return tx
    .selectFrom('end_user')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
};

export const setTier = (
  tx: Tx,
  organizationId: string,
  id: string,
  tier: TierName,
  now: Date,
): Promise<User> =>
  tx
    .insertInto('end_user')
    .values({ organization_id: organizationId, id, tier })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'id']).doUpdateSet({ tier, updated_at: now }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();

export const findUser = (db: Reader, organizationId: string, id: string): Promise<User | undefined> =>
  db
    .selectFrom('end_user')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
