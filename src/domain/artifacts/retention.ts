/** How long files are kept: by the tier of their export, and what its organization changed of it. */
import { RendermillError } from '../../core/errors.ts';
import { type TierName, tierOf } from '../../core/tiers.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { Artifact } from './artifacts.ts';

const dayMs = 24 * 3_600_000;

/** When a file that is made now may be removed; null: never. */
export type ExpiryOf = (made: { organization_id: string; tier: TierName }) => Date | null;

export const readExpiry = async (
  db: Reader,
  made: readonly { organization_id: string }[],
  now: Date,
): Promise<ExpiryOf> => {
  const ids = [...new Set(made.map((one) => one.organization_id))];
  const rows =
    ids.length === 0
      ? []
      : await db.selectFrom('organization').select(['id', 'tier_overrides']).where('id', 'in', ids).execute();
  const overrides = new Map(rows.map((row) => [row.id, row.tier_overrides]));
  return ({ organization_id, tier }) => {
    const { retentionDays } = tierOf(tier, overrides.get(organization_id) ?? {});
    return retentionDays === null ? null : new Date(now.getTime() + retentionDays * dayMs);
  };
};

/** From its time on, whether or not anybody has removed it yet. */
export const isExpired = (
  { expires_at, expired_at }: Pick<Artifact, 'expires_at' | 'expired_at'>,
  now: Date,
): boolean => expired_at !== null || (expires_at !== null && expires_at <= now);

/** Throws `file_expired`. */
export const assertNotExpired = (artifact: Pick<Artifact, 'expires_at' | 'expired_at'>, now: Date): void => {
  if (!isExpired(artifact, now)) return;
  throw new RendermillError('file_expired', {
    details: { expiredAt: (artifact.expires_at ?? artifact.expired_at)?.toISOString() ?? null },
  });
};

/**
 * A file that expires sooner is not used again: between the look for it and the commit of what uses it lie seconds, and its removal
 * must not come in between.
 */
export const reuseMarginMs = 3_600_000;
