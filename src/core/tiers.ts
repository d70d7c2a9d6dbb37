import { z } from 'zod';
import { maxPixels } from './output.ts';

export const tierNames = ['free', 'pro', 'unlimited', 'credits'] as const;
export type TierName = (typeof tierNames)[number];

export interface Tier {
  /** Accepted exports per day of the organization; null: no limit. */
  readonly dailyExports: number | null;
  /** Seconds of footage of one video; null: no limit. */
  readonly maxDurationSeconds: number | null;
  /** Pixels of one picture or frame. */
  readonly maxPixels: number;
  /** Credits that one export costs; 0: the tier spends none. */
  readonly creditsPerExport: number;
  /** Render jobs of the organization's users of this tier that run, or are about to, at once; null: no cap. */
  readonly concurrentRenders: number | null;
  /** Days after which a finished file is removed (its record stays); null: never. */
  readonly retentionDays: number | null;
}

const whatEveryTierHas = { maxPixels, creditsPerExport: 0, concurrentRenders: null, retentionDays: null };

/** Daily limits and lengths of free, pro and unlimited: the export-tracking document; credits, caps and retention: ours. */
export const defaultTiers: Readonly<Record<TierName, Tier>> = {
  free: {
    ...whatEveryTierHas,
    dailyExports: 3,
    maxDurationSeconds: 30,
    concurrentRenders: 10,
    retentionDays: 30,
  },
  pro: {
    ...whatEveryTierHas,
    dailyExports: 50,
    maxDurationSeconds: 120,
    concurrentRenders: 50,
    retentionDays: 180,
  },
  unlimited: { ...whatEveryTierHas, dailyExports: null, maxDurationSeconds: null },
  credits: {
    ...whatEveryTierHas,
    dailyExports: null,
    maxDurationSeconds: 120,
    creditsPerExport: 1,
    concurrentRenders: 50,
    retentionDays: 180,
  },
};

const tierOverrideSchema = z.strictObject({
  dailyExports: z.int().min(0).nullable().optional(),
  maxDurationSeconds: z.number().positive().nullable().optional(),
  maxPixels: z.int().positive().max(maxPixels).optional(),
  creditsPerExport: z.int().min(0).optional(),
  concurrentRenders: z.int().min(1).nullable().optional(),
  retentionDays: z.number().positive().max(36_500).nullable().optional(),
});

/** What an organization changes of the defaults, by tier. */
export const tierOverridesSchema = z.partialRecord(z.enum(tierNames), tierOverrideSchema);
export type TierOverrides = z.infer<typeof tierOverridesSchema>;

export const tierOf = (name: TierName, overrides: TierOverrides): Tier => {
  const set = Object.entries(overrides[name] ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaultTiers[name], ...Object.fromEntries(set) };
};
