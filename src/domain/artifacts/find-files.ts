import { RendermillError } from '../../core/errors.ts';
import { isUuid } from '../../core/ids.ts';
import type { OutputFormat } from '../../core/output.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { Artifact } from './artifacts.ts';

/** A file with what is known of how it came to be; the cell of a batch says more of it than a single export. */
export interface FoundFile {
  readonly artifact: Artifact;
  readonly userId: string;
  readonly compositionId: string;
  readonly format: OutputFormat;
  readonly props: Record<string, unknown>;
  readonly cached: boolean;
  readonly variant: string | null;
  readonly locale: string | null;
  readonly size: string | null;
  readonly device: string | null;
}

/** In the order of the ids. `not_found` names those that the organization does not have, whoever has them. */
export const findFiles = async (
  db: Reader,
  organizationId: string,
  fileIds: readonly string[],
): Promise<readonly FoundFile[]> => {
  const rows = await readFiles(db, organizationId, fileIds.filter(isUuid));
  const byId = new Map(rows.map((row) => [row.artifact.file_id, row]));
  const found = fileIds.map((id) => byId.get(id.toLowerCase()));
  const missing = fileIds.filter((_id, index) => found[index] === undefined);
  if (missing.length > 0) {
    throw new RendermillError('not_found', {
      message: `There is no file ${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ' …' : ''}.`,
      details: { fileIds: missing },
    });
  }
  return found.filter((file) => file !== undefined);
};

const readFiles = async (
  db: Reader,
  organizationId: string,
  fileIds: readonly string[],
): Promise<readonly FoundFile[]> => {
  if (fileIds.length === 0) return [];
  const rows = await db
    .selectFrom('artifact')
    .innerJoin('export', 'export.id', 'artifact.export_id')
    .leftJoin('batch', 'batch.id', 'export.batch_id')
    .leftJoin('batch_variant', (join) =>
      join
        .onRef('batch_variant.batch_id', '=', 'export.batch_id')
        .onRef('batch_variant.position', '=', 'export.variant'),
    )
    .selectAll('artifact')
    .select([
      'export.user_id',
      'export.composition_id',
      'export.format',
      'export.request',
      'export.cached',
      'export.size',
      'batch.sizes',
      'batch_variant.name as variant',
      'batch_variant.locale',
      'batch_variant.props',
    ])
    .where('artifact.organization_id', '=', organizationId)
    .where('artifact.file_id', 'in', fileIds)
    .execute();
  return rows.map(
    ({
      user_id,
      composition_id,
      format,
      request,
      cached,
      size,
      sizes,
      variant,
      locale,
      props,
      ...artifact
    }) => {
      const batchSize = size === null ? undefined : sizes?.[size];
      return {
        artifact,
        userId: user_id,
        compositionId: composition_id,
        format,
        props: props ?? request.props,
        cached,
        variant,
        locale,
        size: batchSize?.name ?? null,
        device: batchSize?.device ?? null,
      };
    },
  );
};
