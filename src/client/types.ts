/** What the API takes and answers, as JSON. A test holds these types against the schemas that the server answers by. */
import type { ExportStatus, RenderMode } from '../core/exports.ts';
import type { ExportKind, OutputFormat } from '../core/output.ts';
import type { RenderRequest } from '../core/render-request.ts';
import type { TierName } from '../core/tiers.ts';

export type RenderOrder = Omit<RenderRequest, 'props'> & Partial<Pick<RenderRequest, 'props'>>;

export interface Acceptance {
  readonly id: string;
  readonly status: 'queued';
  readonly version: string;
  /** Exports a day; null: no limit. */
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
}

export interface Progress {
  readonly stage: string;
  readonly percent: number;
  readonly renderedFrames: number;
  readonly totalFrames: number;
  readonly timeLeftMs: number | null;
}

export interface ExportFailure {
  readonly code: string;
  readonly message: string;
}

export interface ExportFile {
  readonly fileId: string;
  readonly mediaType: string;
  readonly sizeInBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Seconds of footage; null for a still. */
  readonly durationSeconds: number | null;
  /** When its tier's retention ends; null: never. */
  readonly expiresAt: string | null;
  /** The file was removed; the record stays. */
  readonly expired: boolean;
  readonly downloadPath: string;
}

export interface ExportRecord {
  readonly id: string;
  readonly status: ExportStatus;
  readonly userId: string;
  readonly projectId: string;
  /** The campaign or import that it is a cell of. */
  readonly batchId: string | null;
  readonly compositionId: string;
  readonly version: string;
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly renderMode: RenderMode;
  readonly width: number | null;
  readonly height: number | null;
  readonly durationSeconds: number | null;
  readonly attempt: number;
  readonly cancelRequested: boolean;
  /** An earlier, identical file was used again. */
  readonly cached: boolean;
  readonly progress: Progress | null;
  readonly error: ExportFailure | null;
  readonly file: ExportFile | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly failedAt: string | null;
  readonly canceledAt: string | null;
}

export type WatchMessage =
  | {
      readonly type: 'status';
      readonly status: ExportStatus;
      readonly at: string;
      readonly attempt?: number;
      readonly error?: ExportFailure;
    }
  | ({ readonly type: 'progress' } & Progress);

export interface ExportFilter {
  readonly userId?: string;
  readonly projectId?: string;
  readonly batchId?: string;
  readonly compositionId?: string;
  readonly status?: ExportStatus;
  readonly kind?: ExportKind;
  readonly format?: OutputFormat;
  /** ISO 8601: created at or after, and before. */
  readonly from?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface ExportPage {
  readonly exports: readonly ExportRecord[];
  readonly nextCursor: string | null;
}

export interface User {
  readonly id: string;
  readonly tier: TierName;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
  readonly maxDurationSeconds: number | null;
  /** Render jobs of its users of this tier that the organization may have running at once; null: no cap. */
  readonly concurrentRenders: number | null;
  /** Days after which a finished file is removed; null: never. */
  readonly retentionDays: number | null;
  readonly credits: number;
}

export interface Project {
  readonly id: string;
  readonly name: string | null;
  readonly exportCount: number;
  readonly lastExportAt: string | null;
}

export interface Composition {
  readonly id: string;
  readonly version: string;
  readonly newest: boolean;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly durationInFrames: number | null;
  readonly hasCalculateMetadata: boolean;
  readonly validated: boolean;
  readonly propsSchema: Record<string, unknown> | null;
  readonly defaultProps: Record<string, unknown>;
  readonly schemaNotes: readonly string[];
  readonly registeredAt: string;
}

export interface DownloadLink {
  readonly url: string;
  readonly expiresAt: string;
}
