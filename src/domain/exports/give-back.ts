import type { Tx } from '../../platform/db/client.ts';
import { uncountExport } from '../accounts/projects.ts';
import { emit } from '../events/emit.ts';
import { type Export, exportEnvelope, jobFacts } from './export.ts';
import { release } from './limits.ts';

/** Limit, credit and the project's count return; `job_refunded` only where a credit does. */
export const giveBack = async (
  tx: Tx,
  row: Export,
  source: 'server' | 'worker',
  now: Date,
): Promise<void> => {
  const charged = {
    organizationId: row.organization_id,
    userId: row.user_id,
    exportId: row.id,
    day: row.charged_day,
    credits: row.charged_credits,
  };
  const credits = await release(tx, charged, row.status, now);
  await uncountExport(tx, { organizationId: row.organization_id, projectId: row.project_id }, now);
  if (credits === null) return;
  await emit(tx, {
    name: 'job_refunded',
    ...exportEnvelope(row, source, now),
    properties: {
      ...jobFacts(row, now),
      credits_before: credits.before,
      credits_after: credits.after,
      ...(row.error_code === null ? {} : { error_code: row.error_code }),
      ...(row.error_text === null ? {} : { failure_reason: row.error_text }),
    },
  });
};
