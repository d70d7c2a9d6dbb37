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

/** All but the variants, which are too many for one walk. */
const withoutVariantsSchema = z.strictObject({
  ...batchOrderShape,
  variants: z.array(z.unknown()).min(1).max(maxVariants),
});

const nameIssues = (variants: readonly CampaignVariant[]): readonly RequestIssue[] =>
  repeatedNames(variants)
    .slice(0, maxRepeated)
    .map((index) => {
      const { name, locale } = variants[index] ?? {};
      const of = locale === undefined ? '' : ` of ${locale}`;
      return { path: ['variants', index, 'name'], message: `"${name}" is the name of another variant${of}` };
    });

export interface RequestIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export const campaignRequestSchema = z
  .strictObject({
    ...batchOrderShape,
    variants: z.array(variantSchema).min(1).max(maxVariants),
  })
  .superRefine((request, context) => {
    for (const { path, message } of batchOrderMismatches(request))
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const { path, message } of nameIssues(request.variants))
      context.addIssue({ code: 'custom', path: [...path], message });
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

export type ReadRequest =
  | { readonly type: 'valid'; readonly request: CampaignRequest }
  | { readonly type: 'invalid'; readonly issues: readonly RequestIssue[] };

/** Those who send a hundred thousand variants that are all wrong learn of so many. */
const maxWrongVariants = 100;

/** Does as `campaignRequestSchema` does, variant by variant: `pause` is awaited after each. */
export const readCampaignRequest = async (
  body: unknown,
  pause: () => Promise<void>,
): Promise<ReadRequest> => {
  const head = withoutVariantsSchema.safeParse(body);
  if (!head.success) return { type: 'invalid', issues: head.error.issues };
  const variants: CampaignVariant[] = [];
  const issues: RequestIssue[] = [];
  let wrong = 0;
  for (const [index, given] of head.data.variants.entries()) {
    const read = variantSchema.safeParse(given);
    if (read.success) variants.push(read.data);
    else {
      wrong += 1;
      issues.push(
        ...read.error.issues.map(({ path, message }) => ({ path: ['variants', index, ...path], message })),
      );
      if (wrong === maxWrongVariants) break;
    }
    await pause();
  }
  const request = { ...head.data, variants };
  issues.push(...batchOrderMismatches(request));
  if (wrong === 0) issues.push(...nameIssues(variants));
  return issues.length === 0 ? { type: 'valid', request } : { type: 'invalid', issues };
};
