/** What an archive is asked to hold, as a query, as a value, and as the text that a link's signature covers. */
import { z } from 'zod';
import { type Layout, layouts } from '../../../core/archive/archive-file.ts';
import { RendermillError } from '../../../core/errors.ts';

/** More would make an address that browsers and proxies refuse. */
const maxFileIds = 1000;

/** One of the two: a batch by its id or its name, or files by their ids. */
export type ArchiveSource =
  | { readonly type: 'batch'; readonly batch: string }
  | { readonly type: 'files'; readonly fileIds: readonly string[] };

export interface ArchiveOrder {
  readonly source: ArchiveSource;
  readonly layout: Layout;
  readonly includeManifest: boolean;
  /** Of a batch that is still running: what there is. */
  readonly partial: boolean;
}

const layout = z
  .enum(layouts)
  .default('locale-first')
  .describe(
    'Folders: locale/device, device/locale, none, or those of fastlane deliver (app-store) and supply (google-play)',
  );
const campaignId = z
  .string()
  .min(1)
  .max(128)
  .describe("Of a campaign or import: its id, or the tenant's name");
const fileId = z.string().min(1).max(64);
const flag = z.enum(['true', 'false']).default('false');

export const archiveQuerySchema = z.object({
  campaignId: campaignId.optional(),
  fileIds: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(`Instead of campaignId: up to ${maxFileIds}, separated by commas or repeated`),
  layout,
  manifest: flag.describe('true: manifest.json at the end of the archive'),
  partial: flag.describe('true: of a batch that is still running, what there is'),
  organization: z.string().max(128).optional().describe('Of a signed link'),
  expires: z.coerce.number().int().positive().optional().describe('Of a signed link: Unix seconds'),
  signature: z.string().max(128).optional().describe('Of a signed link'),
});
export type ArchiveQuery = z.infer<typeof archiveQuerySchema>;

export const archiveBodySchema = z.strictObject({
  campaignId: campaignId.optional(),
  fileIds: z.array(fileId).min(1).max(maxFileIds).optional(),
  layout,
  manifest: z.boolean().default(false),
  partial: z.boolean().default(false),
});
export type ArchiveBody = z.infer<typeof archiveBodySchema>;

const invalid = (message: string): RendermillError => new RendermillError('invalid_request', { message });

const sourceOf = (batch: string | undefined, fileIds: readonly string[] | undefined): ArchiveSource => {
  if ((batch === undefined) === (fileIds === undefined))
    throw invalid('Give campaignId or fileIds, and not both.');
  if (batch !== undefined) return { type: 'batch', batch };
  const distinct = [...new Set((fileIds ?? []).map((id) => id.trim()).filter(Boolean))];
  if (distinct.length === 0) throw invalid('fileIds names no file.');
  if (distinct.length > maxFileIds) {
    throw invalid(`fileIds names ${distinct.length} files; up to ${maxFileIds} go into one request.`);
  }
  return { type: 'files', fileIds: distinct };
};

/** Throws `invalid_request`. */
export const orderOfQuery = (query: ArchiveQuery): ArchiveOrder => ({
  source: sourceOf(
    query.campaignId,
    query.fileIds === undefined ? undefined : [query.fileIds].flat().flatMap((text) => text.split(',')),
  ),
  layout: query.layout,
  includeManifest: query.manifest === 'true',
  partial: query.partial === 'true',
});

/** Throws `invalid_request`. */
export const orderOfBody = (body: ArchiveBody): ArchiveOrder => ({
  source: sourceOf(body.campaignId, body.fileIds),
  layout: body.layout,
  includeManifest: body.manifest,
  partial: body.partial,
});

/** One spelling for one archive; JSON escapes line breaks. */
export const subjectOf = (organizationId: string, order: ArchiveOrder): string => {
  const { source } = order;
  const named = source.type === 'batch' ? source.batch : source.fileIds;
  return JSON.stringify([
    organizationId,
    source.type,
    named,
    order.layout,
    order.includeManifest,
    order.partial,
  ]);
};

export const queryOf = (order: ArchiveOrder): Record<string, string> => ({
  ...(order.source.type === 'batch'
    ? { campaignId: order.source.batch }
    : { fileIds: order.source.fileIds.join(',') }),
  layout: order.layout,
  ...(order.includeManifest ? { manifest: 'true' } : {}),
  ...(order.partial ? { partial: 'true' } : {}),
});
