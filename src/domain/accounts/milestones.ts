import type { Tx } from '../../platform/db/client.ts';

/** True for the one transaction, ever, in which the user reaches it; a concurrent one waits and is told false. */
export const reachMilestone = async (
  tx: Tx,
  reached: { organizationId: string; userId: string; name: string; at: Date },
): Promise<boolean> => {
  const inserted = await tx
    .insertInto('user_milestone')
    .values({
      organization_id: reached.organizationId,
      user_id: reached.userId,
      name: reached.name,
      reached_at: reached.at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .execute();
  return inserted.length > 0;
};
