import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { StoredProgress } from '../../platform/db/schema.ts';
import { reachMilestone } from '../accounts/milestones.ts';
import { type NewArtifact, recordArtifact } from '../artifacts/artifacts.ts';
import { emit } from '../events/emit.ts';
import { endCanceled } from './cancel-export.ts';
import { type Export, exportEnvelope, type Fence, jobFacts, jobTimes } from './export.ts';
import { lockHeldExport } from './held-export.ts';

export interface RenderedFile extends Omit<NewArtifact, 'organizationId' | 'exportId'> {
  /** Milliseconds of rendering. */
  readonly renderTimeMs: number;
}

/**
 * One transaction: the export completed, its artifact, `processing_completed`, `video_rendered` and, once ever per user,
 * `first_render_completed`. One whose cancel was asked for ends canceled instead. Throws `render_lost` where the fence no longer
 * holds the export: then nothing is changed.
 */
export const completeExport = async (
  tx: Tx,
  fence: Fence,
  file: RenderedFile,
  now: Date,
): Promise<Export> => {
  const held = await lockHeldExport(tx, fence);
  // Whoever was told that it is being canceled shall not pay for it.
  if (held.cancel_requested_at !== null) return endCanceled(tx, held, 'worker', now);
  const row = await tx
    .updateTable('export')
    .set({
      status: 'completed',
      width: file.width,
      height: file.height,
      duration: file.durationSeconds,
      completed_at: now,
      updated_at: now,
      progress: JSON.stringify(finished(held.progress)),
      error_code: null,
      error_text: null,
    })
    .where('id', '=', held.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordArtifact(tx, { ...file, organizationId: row.organization_id, exportId: row.id }, now);
  await recordSuccess(tx, row, file, now);
  await notify(tx, 'rendermill_export', row.id);
  await notify(tx, 'rendermill_feed');
  return row;
};

/** The last snapshot that was written is up to a second old; the end is known. */
const finished = (last: StoredProgress | null): StoredProgress => {
  const totalFrames = last?.totalFrames || 1;
  return { stage: 'encoding', percent: 100, renderedFrames: totalFrames, totalFrames, timeLeftMs: 0 };
};

const recordSuccess = async (tx: Tx, row: Export, file: RenderedFile, now: Date) => {
  const envelope = exportEnvelope(row, 'worker', now);
  const { job_id: _id, kind: _kind, ...facts } = jobFacts(row, now);
  await emit(tx, {
    name: 'processing_completed',
    ...envelope,
    properties: {
      ...jobFacts(row, now),
      ...jobTimes(row, now),
      attempt: row.attempt,
      success_bool: true,
      video_bytes: file.sizeInBytes,
      resolution: `${file.width}x${file.height}`,
      ...(file.durationSeconds === null ? {} : { duration_seconds: file.durationSeconds }),
    },
  });
  await emit(tx, {
    name: 'video_rendered',
    ...envelope,
    properties: {
      ...facts,
      width: file.width,
      height: file.height,
      sizeInBytes: file.sizeInBytes,
      duration: file.renderTimeMs,
      userId: row.user_id,
      ...(row.batch_id === null ? {} : { batchId: row.batch_id }),
    },
  });
  const milestone = {
    organizationId: row.organization_id,
    userId: row.user_id,
    name: 'first_render',
    at: now,
  };
  if (await reachMilestone(tx, milestone)) {
    await emit(tx, { name: 'first_render_completed', ...envelope, properties: facts });
  }
};
