import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify, notifyAll } from '../../platform/db/notify.ts';
import type { StoredProgress } from '../../platform/db/schema.ts';
import { reachMilestone } from '../accounts/milestones.ts';
import { type NewArtifact, recordArtifacts } from '../artifacts/artifacts.ts';
import { readExpiry } from '../artifacts/retention.ts';
import { emitAll } from '../events/emit.ts';
import { cancelLocked } from './cancel-export.ts';
import { countEndsOf, lockRunsOf } from './cells.ts';
import { dropChunks } from './chunks/drop-chunks.ts';
import {
  type Export,
  endSignals,
  exportEnvelope,
  type Fence,
  jobFacts,
  jobTimes,
  outputFacts,
  renderAttempt,
} from './export.ts';
import { lockHeldExports } from './held-export.ts';
import { tellOfRemoteRenders } from './remote-render.ts';

export interface RenderedFile extends Omit<NewArtifact, 'organizationId' | 'exportId' | 'expiresAt'> {
  /** Milliseconds of rendering. */
  readonly renderTimeMs: number;
  /** Names what decides about every byte of the file; absent: it is not to be used again. */
  readonly contentHash?: string;
  /** An earlier, identical file that is used again. */
  readonly cached?: boolean;
  /** US dollars; absent or null: nobody is billed for it. */
  readonly cost?: number | null;
}

export interface Finished {
  readonly fence: Fence;
  readonly file: RenderedFile;
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
  const [row] = await completeExports(tx, [{ fence, file }], now);
  if (!row) throw new RendermillError('render_lost');
  return row;
};

/** As completeExport, for several at once; those whose fence no longer holds them are left out of the answer. */
export const completeExports = async (
  tx: Tx,
  finished: readonly Finished[],
  now: Date,
): Promise<Export[]> => {
  const held = await lockHeldExports(
    tx,
    finished.map(({ fence }) => fence),
  );
  await lockRunsOf(tx, held);
  // Whoever was told that it is being canceled shall not pay for it.
  const unwanted = held.filter((row) => row.cancel_requested_at !== null);
  const wanted = held.filter((row) => row.cancel_requested_at === null);
  const files = new Map(finished.map(({ fence, file }) => [fence.exportId, file]));
  const pairs = wanted.flatMap((row) => {
    const file = files.get(row.id);
    return file ? [{ row, file }] : [];
  });
  const completed = await markCompleted(tx, pairs, now);
  const expiryOf = await readExpiry(
    tx,
    completed.map(({ row }) => row),
    now,
  );
  await recordArtifacts(
    tx,
    completed.map(({ row, file }) => ({
      ...file,
      organizationId: row.organization_id,
      exportId: row.id,
      expiresAt: expiryOf(row),
    })),
    now,
  );
  await dropChunks(
    tx,
    completed.map(({ row }) => row),
  );
  await recordSuccess(tx, completed, now);
  await tellOfRemoteRenders(
    tx,
    completed.map(({ row }) => row),
  );
  await notifyAll(
    tx,
    'rendermill_export',
    completed.map(({ row }) => row.id),
  );
  if (completed.length > 0) await notify(tx, 'rendermill_feed');
  const canceled = await cancelLocked(tx, unwanted, 'worker', now);
  const rows = completed.map(({ row }) => row);
  await countEndsOf(
    tx,
    rows,
    (cells) => ({ succeeded: cells.length, cached: cells.filter((cell) => cell.cached).length }),
    'worker',
    now,
  );
  return [...rows, ...canceled];
};

interface Pair {
  readonly row: Export;
  readonly file: RenderedFile;
}

/** Whoever watched a render at AWS to its end clears it up; one that the workers did over stays on the row until somebody ends it. */
const markCompleted = async (tx: Tx, pairs: readonly Pair[], now: Date): Promise<Pair[]> => {
  if (pairs.length === 0) return [];
  const changes = pairs.map(({ row, file }) => ({
    id: row.id,
    width: file.width,
    height: file.height,
    duration: file.durationSeconds,
    progress: finishedProgress(row.progress),
    render_ms: file.renderTimeMs,
    cached: file.cached ?? false,
    cost: file.cost ?? null,
    content_hash: file.contentHash ?? null,
  }));
  const { rows } = await sql<Export>`
    UPDATE export SET status = 'completed', completed_at = ${now}, updated_at = ${now}, error_code = NULL, error_text = NULL,
      width = done.width, height = done.height, duration = done.duration, progress = done.progress,
      render_ms = done.render_ms, cost = done.cost, remote_render = CASE WHEN render_mode = 'local' THEN remote_render END, cached = done.cached, content_hash = done.content_hash
    FROM jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) AS done (id uuid, width int, height int,
      duration double precision, progress jsonb, render_ms double precision, cost double precision, cached boolean, content_hash text)
    WHERE export.id = done.id RETURNING export.*`.execute(tx);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return pairs.flatMap(({ row, file }) => {
    const changed = byId.get(row.id);
    return changed ? [{ row: changed, file }] : [];
  });
};

/** The last snapshot that was written is up to a second old; the end is known. */
const finishedProgress = (last: StoredProgress | null): StoredProgress => {
  const totalFrames = last?.totalFrames || 1;
  return { stage: 'encoding', percent: 100, renderedFrames: totalFrames, totalFrames, timeLeftMs: 0 };
};

const recordSuccess = async (tx: Tx, pairs: readonly Pair[], now: Date): Promise<void> => {
  await emitAll(
    tx,
    pairs.flatMap(({ row, file }) => [processed(row, file, now), rendered(row, file, now)]),
  );
  await recordFirsts(tx, pairs, now);
};

const reused = (file: RenderedFile) => (file.cached ? { cached: true } : {});

const processed = (row: Export, file: RenderedFile, now: Date): NewEvent<'processing_completed'> => ({
  name: 'processing_completed',
  ...exportEnvelope(row, 'worker', now),
  properties: {
    ...jobFacts(row, now),
    ...jobTimes(row, now),
    // Of one picture of many this is its own time, not that of all together.
    ...(row.group_id === null ? {} : { processing_time_ms: file.renderTimeMs }),
    ...endSignals(row),
    attempt: renderAttempt(row),
    success_bool: true,
    video_bytes: file.sizeInBytes,
    resolution: `${file.width}x${file.height}`,
    ...(file.durationSeconds === null ? {} : { duration_seconds: file.durationSeconds }),
    ...(file.hasSound === null ? {} : { audio_present: file.hasSound }),
    ...reused(file),
  },
});

const rendered = (row: Export, file: RenderedFile, now: Date): NewEvent<'video_rendered'> => ({
  name: 'video_rendered',
  ...exportEnvelope(row, 'worker', now),
  properties: {
    ...outputFacts(row, now),
    width: file.width,
    height: file.height,
    sizeInBytes: file.sizeInBytes,
    duration: file.renderTimeMs,
    userId: row.user_id,
    ...reused(file),
  },
});

/** Once ever per user, whichever of several it was. */
const recordFirsts = async (tx: Tx, pairs: readonly Pair[], now: Date): Promise<void> => {
  const users = new Map(
    pairs.map(({ row }) => [`${row.organization_id}/${row.user_id}`, row] as const).toReversed(),
  );
  for (const [, row] of [...users].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const milestone = {
      organizationId: row.organization_id,
      userId: row.user_id,
      name: 'first_render',
      at: now,
    };
    if (!(await reachMilestone(tx, milestone))) continue;
    const first: NewEvent<'first_render_completed'> = {
      name: 'first_render_completed',
      ...exportEnvelope(row, 'worker', now),
      properties: outputFacts(row, now),
    };
    await emitAll(tx, [first]);
  }
};
