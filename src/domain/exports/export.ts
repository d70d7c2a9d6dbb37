import type { Selectable } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { isUuid } from '../../core/ids.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { ExportTable } from '../../platform/db/schema.ts';

export type Export = Selectable<ExportTable>;

/** A worker's claim on an export. A write that names an older one changes nothing: the work has another holder, or an end. */
export interface Fence {
  readonly exportId: string;
  readonly epoch: number;
  readonly attempt: number;
}

/** Another organization's export is as if it did not exist: `not_found` both times. */
export const getExport = async (db: Reader, organizationId: string, id: string): Promise<Export> => {
  const missing = new RendermillError('not_found', { message: `There is no export "${id}".` });
  if (!isUuid(id)) throw missing;
  const row = await db
    .selectFrom('export')
    .selectAll()
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (!row) throw missing;
  return row;
};

/** The facts that every event of an export carries. */
export const jobFacts = (row: Export, now: Date) => ({
  job_id: row.id,
  exportId: row.id,
  projectId: row.project_id,
  renderMode: row.render_mode,
  ...(row.batch_id === null ? {} : { batchId: row.batch_id }),
  compositionId: row.composition_id,
  kind: row.kind,
  format: row.format,
  timestamp: now.toISOString(),
});

const since = (from: Date | null, to: Date | null): number | undefined =>
  from === null || to === null ? undefined : Math.max(0, to.getTime() - from.getTime());

/** Milliseconds from acceptance to the first start, and from the last start to now; absent where there was no start. */
export const jobTimes = (row: Export, now: Date) => {
  const wait = since(row.created_at, row.started_at);
  const work = since(row.attempt_started_at, now);
  return {
    ...(wait === undefined ? {} : { queue_wait_ms: wait }),
    ...(work === undefined ? {} : { processing_time_ms: work }),
  };
};

/** The attempt at the render, from 1. Joining the chunks of a cut video is a start of its own, but not another attempt. */
export const renderAttempt = ({ attempt, chunks, chunks_done }: Export): number =>
  chunks !== null && chunks === chunks_done ? Math.max(1, attempt - 1) : attempt;

/** What went before the end: attempts before the last, and how often somebody asked for its state (to a second). */
export const endSignals = (row: Export) => ({
  retry_count: Math.max(0, renderAttempt(row) - 1),
  status_poll_count: row.status_polls,
});

/** Facts without those that only a job has: what its results carry. */
export const outputFacts = (row: Export, now: Date) => {
  const { job_id: _id, kind: _kind, ...facts } = jobFacts(row, now);
  return facts;
};

/** The envelope that every event of an export shares. */
export const exportEnvelope = (row: Export, source: 'server' | 'worker', now: Date) => ({
  organizationId: row.organization_id,
  userId: row.user_id,
  source,
  occurredAt: now,
  entity: { type: 'export', id: row.id },
  ...(row.correlation_id === null ? {} : { correlationId: row.correlation_id }),
});
