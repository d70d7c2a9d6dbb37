/** What a tenant may ask for as a campaign: variants × sizes. The same schema validates the request and makes the API's documentation. */
import { z } from 'zod';
import {
  batchOrderMismatches,
  batchOrderShape,
  cellNameSchema,
  localeSchema,
  maxVariants,
} from './batch-order.ts';
import { propsSchema } from './render-request.ts';

const variantSchema = z.strictObject({
  name: cellNameSchema.describe(
    'Unique among the variants of its locale, whatever the case; names its files',
  ),
  locale: localeSchema.optional(),
  props: propsSchema,
});

export type CampaignVariant = z.infer<typeof variantSchema>;

/** More names that are taken twice help nobody to find the mistake. */
const maxRepeated = 20;

/** Of names that differ in case only a file system sees one. */
const repeatedNames = (variants: readonly CampaignVariant[]): readonly number[] => {
  const seen = new Set<string>();
  return variants.flatMap(({ name, locale = '' }, index) => {
    const folded = `${locale}\n${name}`.toLowerCase();
    if (seen.has(folded)) return [index];
    seen.add(folded);
    return [];
  });
};

export const campaignRequestSchema = z
  .strictObject({
    ...batchOrderShape,
    variants: z.array(variantSchema).min(1).max(maxVariants),
  })
  .superRefine((request, context) => {
    for (const { path, message } of batchOrderMismatches(request))
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const index of repeatedNames(request.variants).slice(0, maxRepeated)) {
      const { name, locale } = request.variants[index] ?? {};
      context.addIssue({
        code: 'custom',
        path: ['variants', index, 'name'],
        message: `"${name}" is the name of another variant${locale === undefined ? '' : ` of ${locale}`}`,
      });
    }
  })
  .meta({
    examples: [
      {
        userId: 'ada',
        projectId: 'launch',
        campaignId: 'spring',
        compositionId: 'product-card',
        kind: 'still',
        format: 'png',
        sizes: [
          { name: 'square', width: 1080, height: 1080, device: 'phone' },
          { name: 'banner', width: 1200, height: 628, device: 'desktop' },
        ],
        variants: [
          { name: 'lamp', locale: 'en', props: { productName: 'Lamp' } },
          { name: 'lampe', locale: 'de', props: { productName: 'Lampe' } },
        ],
      },
    ],
  });

export type CampaignRequest = z.infer<typeof campaignRequestSchema>;
