import type { Tx } from '../../platform/db/client.ts';

interface Reached {
  readonly organizationId: string;
  readonly userId: string;
  readonly name: string;
  readonly at: Date;
}

/** True for the one transaction, ever, in which the user reaches it; a concurrent one waits and is told false. */
export const reachMilestone = async (tx: Tx, reached: Reached): Promise<boolean> =>
  (await reachMilestones(tx, [reached])) === 1;

/** As `reachMilestone`, for several with one statement. Returns how many of them nobody had reached before. */
export const reachMilestones = async (tx: Tx, reached: readonly Reached[]): Promise<number> => {
  if (reached.length === 0) return 0;
  const inserted = await tx
    .insertInto('user_milestone')
    .values(
      reached.map(({ organizationId, userId, name, at }) => ({
        organization_id: organizationId,
        user_id: userId,
        name,
        reached_at: at,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .execute();
  return inserted.length;
};

/** Of a user who is erased: whoever comes under the same id is new. */
export const forgetMilestones = async (tx: Tx, organizationId: string, userId: string): Promise<void> => {
  await tx
    .deleteFrom('user_milestone')
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .execute();
};
