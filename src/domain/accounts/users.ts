import type { Selectable } from 'kysely';
import type { TierName } from '../../core/tiers.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { EndUserTable } from '../../platform/db/schema.ts';

export type User = Selectable<EndUserTable>;

const insertUser = async (tx: Tx, organizationId: string, id: string): Promise<void> => {
  await tx
    .insertInto('end_user')
    .values({ organization_id: organizationId, id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

/** First sight creates a user, tier free. */
export const ensureUser = async (tx: Tx, organizationId: string, id: string): Promise<User> => {
  await insertUser(tx, organizationId, id);
  return tx
    .selectFrom('end_user')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
};

/** What the tier was before: of several changes at once each begins where another one ended. First sight is tier free. */
export const setTier = async (
  tx: Tx,
  organizationId: string,
  id: string,
  tier: TierName,
  now: Date,
): Promise<{ user: User; before: TierName }> => {
  await insertUser(tx, organizationId, id);
  const { tier: before } = await tx
    .selectFrom('end_user')
    .select('tier')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const user = await tx
    .updateTable('end_user')
    .set({ tier, updated_at: now })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { user, before };
};

export const findUser = (db: Reader, organizationId: string, id: string): Promise<User | undefined> =>
  db
    .selectFrom('end_user')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
