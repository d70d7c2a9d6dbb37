import type { TierName } from '../../core/tiers.ts';
import { setTier, type User } from '../../domain/accounts/users.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Tx } from '../../platform/db/client.ts';

export interface PlanChange {
  readonly organizationId: string;
  readonly userId: string;
  readonly tier: TierName;
  readonly correlationId: string;
}

/** Sets the tier, and records `plan_changed` where it was another one; of a user who is new it was free. */
export const changePlan = async (tx: Tx, change: PlanChange, now: Date): Promise<User> => {
  const { organizationId, userId, tier, correlationId } = change;
  const { user, before } = await setTier(tx, organizationId, userId, tier, now);
  if (before !== tier) {
    await emit(tx, {
      name: 'plan_changed',
      organizationId,
      userId,
      source: 'server',
      occurredAt: now,
      entity: { type: 'user', id: userId },
      correlationId,
      properties: { from_plan: before, to_plan: tier },
    });
  }
  return user;
};
