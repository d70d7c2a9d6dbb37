import type { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { planWindow } from '../../core/statistics-window.ts';
import { getOrganization, tierIn } from '../../domain/accounts/organizations.ts';
import { findUser } from '../../domain/accounts/users.ts';
import { limitState } from '../../domain/exports/limits.ts';
import { inSnapshot } from '../../domain/statistics/read-sums.ts';
import { readToday } from '../../domain/statistics/read-today.ts';
import type { Database } from '../../platform/db/client.ts';
import { readOverall } from './read-overall.ts';
import type { userStatisticsSchema, windowQuerySchema } from './schemas.ts';

/** Throws `not_found`, and `invalid_request` for a window that cannot be meant. */
export const userStatistics = async (
  db: Database,
  given: { readonly organizationId: string; readonly userId: string },
  asked: z.infer<typeof windowQuerySchema>,
  now: Date,
): Promise<z.input<typeof userStatisticsSchema>> => {
  const { organizationId, userId } = given;
  const user = await findUser(db, organizationId, userId);
  if (!user) throw new RendermillError('not_found', { message: `There is no user "${userId}".` });
  const organization = await getOrganization(db, organizationId);
  const { time_zone: timeZone } = organization;
  const window = planWindow(asked, await readToday(db, timeZone, now));
  const who = { ...given, timeZone, tierName: user.tier, tier: tierIn(organization, user.tier) };
  const { limit, remaining, resetAt } = await limitState(db, who, now);
  const read = await inSnapshot(db, (tx) =>
    readOverall(tx, { organizationId, scope: 'user', scopeId: userId }, window),
  );
  return {
    userId,
    tier: user.tier,
    limit,
    remaining,
    resetAt: resetAt.toISOString(),
    timeZone,
    ...read.overall,
    window: read.window,
  };
};
