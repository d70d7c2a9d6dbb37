import { type SqlBool, sql } from 'kysely';
import type { ExportStatus } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { Reader } from '../../platform/db/client.ts';
import { decodePlace, encodePlace } from '../../platform/db/page-place.ts';
import type { Export } from './export.ts';

export interface ExportFilter {
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly batchId?: string | undefined;
  readonly compositionId?: string | undefined;
  readonly status?: ExportStatus | undefined;
  readonly kind?: ExportKind | undefined;
  readonly format?: OutputFormat | undefined;
  /** Created at or after, and before. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface ExportPage {
  readonly exports: readonly Export[];
  /** Where to go on; null at the end. Stable: what comes in meanwhile is newer and does not shift the pages. */
  readonly nextCursor: string | null;
}

const microsOf = sql<string>`(extract(epoch FROM created_at) * 1000000)::bigint::text`;

/** Newest first. */
export const listExports = async (
  db: Reader,
  organizationId: string,
  filter: ExportFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<ExportPage> => {
  let query = db
    .selectFrom('export')
    .selectAll()
    .select(microsOf.as('micros'))
    .where('organization_id', '=', organizationId);
  if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId);
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId);
  if (filter.batchId !== undefined) query = query.where('batch_id', '=', filter.batchId);
  if (filter.compositionId !== undefined) query = query.where('composition_id', '=', filter.compositionId);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.format !== undefined) query = query.where('format', '=', filter.format);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.until !== undefined) query = query.where('created_at', '<', filter.until);
  if (page.cursor !== undefined) {
    const { micros, id } = decodePlace(page.cursor);
    query = query.where(
      sql<SqlBool>`(created_at, id) < (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::uuid)`,
    );
  }
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    exports: shown,
    nextCursor: rows.length > page.limit && last ? encodePlace({ micros: last.micros, id: last.id }) : null,
  };
};
