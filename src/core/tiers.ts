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
}

/** Daily limits and lengths of free, pro and unlimited: the export-tracking document; credits: ours. */
export const defaultTiers: Readonly<Record<TierName, Tier>> = {
  free: { dailyExports: 3, maxDurationSeconds: 30, maxPixels, creditsPerExport: 0 },
  pro: { dailyExports: 50, maxDurationSeconds: 120, maxPixels, creditsPerExport: 0 },
  unlimited: { dailyExports: null, maxDurationSeconds: null, maxPixels, creditsPerExport: 0 },
  credits: { dailyExports: null, maxDurationSeconds: 120, maxPixels, creditsPerExport: 1 },
};

const tierOverrideSchema = z.strictObject({
  dailyExports: z.int().min(0).nullable().optional(),
  maxDurationSeconds: z.number().positive().nullable().optional(),
  maxPixels: z.int().positive().max(maxPixels).optional(),
  creditsPerExport: z.int().min(0).optional(),
});

/** What an organization changes of the defaults, by tier. */
export const tierOverridesSchema = z.partialRecord(z.enum(tierNames), tierOverrideSchema);
export type TierOverrides = z.infer<typeof tierOverridesSchema>;

export const tierOf = (name: TierName, overrides: TierOverrides): Tier => {
  const set = Object.entries(overrides[name] ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaultTiers[name], ...Object.fromEntries(set) };
};
