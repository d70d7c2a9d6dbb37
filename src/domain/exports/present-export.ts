/** An export as the API shows it. */
import { z } from 'zod';
import { exportStatuses, renderModes } from '../../core/exports.ts';
import { exportKinds, stillFormats, videoFormats } from '../../core/output.ts';
import type { Artifact } from '../artifacts/artifacts.ts';
import { isExpired } from '../artifacts/retention.ts';
import { type Export, renderAttempt } from './export.ts';

const time = z.iso.datetime();

export const fileSchema = z
  .object({
    fileId: z.uuid(),
    mediaType: z.string(),
    sizeInBytes: z.int(),
    sha256: z.string().describe('Lower-case hex'),
    width: z.int().describe('Pixels'),
    height: z.int().describe('Pixels'),
    durationSeconds: z.number().nullable().describe('Seconds of footage; null for a still'),
    expiresAt: z.iso.datetime().nullable().describe("When its tier's retention ends; null: never"),
    expired: z.boolean().describe('True from expiresAt on, or once the file was removed; the record stays'),
    downloadPath: z
      .string()
      .describe('With the secret key; see POST /api/render/download-link for a link to hand out'),
  })
  .meta({ id: 'File' });

export const exportSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(exportStatuses),
    userId: z.string(),
    projectId: z.string(),
    batchId: z.uuid().nullable().describe('The campaign or import that it is a cell of'),
    compositionId: z.string(),
    version: z.string(),
    kind: z.enum(exportKinds),
    format: z.enum([...stillFormats, ...videoFormats]),
    renderMode: z.enum(renderModes),
    width: z.int().nullable(),
    height: z.int().nullable(),
    durationSeconds: z.number().nullable(),
    attempt: z.int(),
    cancelRequested: z.boolean(),
    cached: z.boolean().describe('True where an earlier, identical file was used again'),
    progress: z
      .object({
        stage: z.string().describe('preparing, rendering or encoding'),
        percent: z.number(),
        renderedFrames: z.int(),
        totalFrames: z.int(),
        timeLeftMs: z.number().nullable(),
      })
      .nullable(),
    error: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it failed; of an export that waits for another attempt: why the last one failed'),
    file: fileSchema.nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    failedAt: time.nullable(),
    canceledAt: time.nullable(),
  })
  .meta({ id: 'Export', description: 'The export, with its file once there is one' });

export type PresentedExport = z.infer<typeof exportSchema>;

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export const presentFile = (artifact: Artifact, now: Date): z.infer<typeof fileSchema> => ({
  fileId: artifact.file_id,
  mediaType: artifact.media_type,
  sizeInBytes: artifact.size_in_bytes,
  sha256: artifact.sha256,
  width: artifact.width,
  height: artifact.height,
  durationSeconds: artifact.duration_seconds,
  expiresAt: iso(artifact.expires_at),
  expired: isExpired(artifact, now),
  downloadPath: `/api/render/download?fileId=${artifact.file_id}`,
});

export const presentExport = (row: Export, artifact: Artifact | undefined, now: Date): PresentedExport => ({
  id: row.id,
  status: row.status,
  userId: row.user_id,
  projectId: row.project_id,
  batchId: row.batch_id,
  compositionId: row.composition_id,
  version: row.version,
  kind: row.kind,
  format: row.format,
  renderMode: row.render_mode,
  width: row.width,
  height: row.height,
  durationSeconds: row.duration,
  attempt: renderAttempt(row),
  cancelRequested: row.cancel_requested_at !== null,
  cached: row.cached,
  progress: row.progress,
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_text ?? row.error_code },
  file: artifact ? presentFile(artifact, now) : null,
  createdAt: row.created_at.toISOString(),
  startedAt: iso(row.started_at),
  completedAt: iso(row.completed_at),
  failedAt: iso(row.failed_at),
  canceledAt: iso(row.canceled_at),
});
