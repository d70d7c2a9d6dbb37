import { sql } from 'kysely';
import type { MeasuredPace } from '../../core/campaign-estimate.ts';
import type { RenderMode } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { Reader } from '../../platform/db/client.ts';

interface Asked {
  readonly organizationId: string;
  readonly compositionId: string;
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly renderMode: RenderMode;
}

/** What is older was another machine, or another load. */
const lastExports = 500;

/**
 * Of the last of the same composition, format and mode that were rendered and not used again; zero exports where there were none. The
 * conditions are those of `export_rendered`.
 */
export const measurePace = async (db: Reader, asked: Asked): Promise<MeasuredPace> => {
  const { rows } = await sql<MeasuredPace>`
    SELECT count(*)::int AS exports, coalesce(sum(render_ms), 0) AS "renderMs", coalesce(sum(cost), 0) AS cost,
      coalesce(sum(width::double precision * height / 1e6 * CASE WHEN kind = 'video' THEN duration ELSE 1 END), 0) AS work
    FROM (
      SELECT * FROM export
      WHERE organization_id = ${asked.organizationId} AND composition_id = ${asked.compositionId} AND kind = ${asked.kind}
        AND format = ${asked.format} AND render_mode = ${asked.renderMode}
        AND status = 'completed' AND NOT cached AND render_ms > 0
      ORDER BY created_at DESC LIMIT ${lastExports}
    ) AS recent`.execute(db);
  return rows[0] ?? { exports: 0, renderMs: 0, cost: 0, work: 0 };
};
