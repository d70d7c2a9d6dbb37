/** What a campaign and a CSV import have in common: whose they are, what is rendered, and in which sizes. */
import { z } from 'zod';
import { exportKinds, maxSide, stillFormats, videoFormats } from './output.ts';
import { outputMismatches, renderModeSchema, tenantIdSchema } from './render-request.ts';

/** More would make a batch that nobody can look through; several batches do the same. */
export const maxSizes = 100;
export const maxVariants = 100_000;
export const maxCells = 100_000;

const side = z.int().min(1).max(maxSide);
const frame = z.int().min(-1_000_000).max(1_000_000);
const frameIndex = z.int().min(0).max(1_000_000);

/** Stands in folders and file names. */
export const cellNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must be printable text');

export const localeSchema = z
  .string()
  .regex(/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$/, 'must be a locale such as en, pt-BR or zh-Hans')
  .describe('BCP 47, such as en, pt-BR or zh-Hans');

export const batchSizeSchema = z.strictObject({
  name: cellNameSchema.describe('Unique within the batch'),
  width: side.describe('Pixels'),
  height: side.describe('Pixels'),
  device: cellNameSchema.optional().describe('What it is for, as a folder of the archive: phone, banner …'),
});

export const batchOrderShape = {
  userId: tenantIdSchema.describe(
    "The tenant's own id of the user whose usage is metered; made at first sight",
  ),
  projectId: tenantIdSchema.describe("The tenant's own id of the project; made at first sight"),
  campaignId: tenantIdSchema.optional().describe("The tenant's own name for it; need not be unique"),
  compositionId: tenantIdSchema.describe('Id of a registered composition'),
  version: z
    .string()
    .regex(/^[0-9a-f]{8,64}$/)
    .optional()
    .describe('Version of the composition, as registered; absent: the newest'),
  kind: z.enum(exportKinds).default('still'),
  format: z
    .enum([...stillFormats, ...videoFormats])
    .describe('png, jpeg or webp for stills; mp4, webm or gif for videos'),
  sizes: z.array(batchSizeSchema).min(1).max(maxSizes),
  scale: z.number().min(0.1).max(8).optional().describe("Multiplies the output's pixels, not the layout"),
  quality: z.int().min(1).max(100).optional().describe('1 to 100; for jpeg, mp4 and webm'),
  frame: frame.optional().describe('Stills: zero-based, negative from the end; default 0'),
  frameRange: z
    .tuple([frameIndex, frameIndex])
    .optional()
    .describe('Videos: first and last frame, both included, zero-based'),
  renderMode: renderModeSchema,
  reuse: z
    .boolean()
    .default(true)
    .describe('Use a file again that was made before of the very same bundle, props, size and format'),
};

const batchOrderSchema = z.strictObject(batchOrderShape);
export type BatchOrder = z.infer<typeof batchOrderSchema>;

interface Refusal {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What no single field shows: formats of another kind, sizes of one name. Of names that differ in case only a file system sees one. */
export const batchOrderMismatches = (order: BatchOrder): readonly Refusal[] => {
  const seen = new Set<string>();
  const repeated = order.sizes.flatMap(({ name }, index) => {
    const folded = name.toLowerCase();
    if (!seen.has(folded)) {
      seen.add(folded);
      return [];
    }
    return [{ path: ['sizes', index, 'name'], message: `"${name}" is the name of another size` }];
  });
  return [...outputMismatches(order).map(({ path, message }) => ({ path: [path], message })), ...repeated];
};
