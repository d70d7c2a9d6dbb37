/** What the campaign routes take and answer, as JSON; see types.ts. */
import type { JobType, RunStatus } from '../core/batches.ts';
import type { CampaignRequest, CampaignVariant } from '../core/campaign-request.ts';
import type { ExportStatus, RenderMode } from '../core/exports.ts';
import type { ExportKind, OutputFormat } from '../core/output.ts';
import type { ExportFailure, ExportFile } from './types.ts';

type Optional<T, Names extends keyof T> = Omit<T, Names> & Partial<Pick<T, Names>>;

/** Stills, and files that are there already used again, unless it says otherwise. */
export type CampaignOrder = Omit<Optional<CampaignRequest, 'kind' | 'reuse'>, 'variants' | 'sizes'> & {
  readonly sizes: readonly CampaignRequest['sizes'][number][];
  readonly variants: readonly Optional<CampaignVariant, 'props'>[];
};

export interface CampaignAcceptance {
  readonly id: string;
  readonly campaignId: string | null;
  readonly status: 'accepted';
  readonly run: number;
  /** Exports that were reserved. */
  readonly cells: number;
  readonly version: string;
  /** Exports a day; null: no limit. */
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
}

export interface CampaignSize {
  readonly name: string;
  /** Pixels of the layout. */
  readonly width: number;
  readonly height: number;
  readonly device: string | null;
}

interface PlannedLimit {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
}

export interface CampaignPlan {
  readonly wouldBeAccepted: boolean;
  readonly refusals: readonly (ExportFailure & { readonly details?: Record<string, unknown> | undefined })[];
  readonly compositionId: string;
  readonly version: string;
  readonly renderMode: RenderMode;
  readonly cells: number;
  readonly variants: number;
  /** `pixels`: of the file; null for a size that cannot be rendered. */
  readonly sizes: readonly (CampaignSize & {
    readonly pixels: { readonly width: number; readonly height: number } | null;
  })[];
  readonly tier: string;
  readonly now: PlannedLimit;
  readonly after: PlannedLimit;
  readonly credits: { readonly needed: number; readonly balance: number };
  /** Cells whose file is there already; null: not known. */
  readonly reusable: number | null;
  /** Null while no worker is live. */
  readonly estimateSeconds: number | null;
  readonly estimateBasis: 'measured' | 'default' | null;
  /** US dollars at AWS; null: not known, or not on Lambda. */
  readonly estimateCost: number | null;
  /** Renders of this mode that all live workers together can run at once. */
  readonly renderSlots: number;
}

export interface CampaignProgress {
  readonly run: number;
  /** Cells that have come to their end. */
  readonly done: number;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  /** Of those that succeeded: without rendering. */
  readonly cached: number;
  readonly secondsLeft: number | null;
}

export interface CampaignRun {
  readonly run: number;
  readonly status: RunStatus;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  readonly cached: number;
  readonly cancelRequested: boolean;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly closedAt: string | null;
}

export interface CampaignSummary {
  readonly id: string;
  readonly campaignId: string | null;
  readonly jobType: JobType;
  readonly status: RunStatus;
  readonly userId: string;
  readonly projectId: string;
  readonly compositionId: string;
  readonly version: string;
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly renderMode: RenderMode;
  readonly variants: number;
  readonly sizes: readonly CampaignSize[];
  readonly reuse: boolean;
  /** Of the last run. */
  readonly progress: CampaignProgress;
  readonly createdAt: string;
  readonly closedAt: string | null;
  readonly zipPath: string | null;
}

export interface CampaignCell {
  readonly variant: string;
  readonly variantIndex: number;
  readonly locale: string | null;
  readonly line: number | null;
  readonly size: string;
  readonly device: string | null;
  readonly run: number;
  /** `waiting`: reserved, and no export yet. */
  readonly status: 'waiting' | ExportStatus;
  readonly exportId: string | null;
  readonly error: ExportFailure | null;
  readonly cached: boolean;
  readonly file: ExportFile | null;
}

export interface CampaignRecord extends CampaignSummary {
  /** Of all cells, each as its last run left it. */
  readonly counts: Omit<CampaignProgress, 'run' | 'secondsLeft'>;
  readonly rendering: {
    readonly how: 'together' | 'one by one' | 'a function each' | 'not known yet';
    readonly reason: string;
  } | null;
  readonly runs: readonly CampaignRun[];
  readonly report: Record<string, unknown> | null;
  readonly cells: { readonly items: readonly CampaignCell[]; readonly nextCursor: string | null };
}

export type CampaignMessage =
  | { readonly type: 'status'; readonly run: number; readonly status: RunStatus; readonly at: string }
  | ({ readonly type: 'progress' } & CampaignProgress);

export interface CampaignFilter {
  readonly userId?: string;
  readonly projectId?: string;
  readonly status?: RunStatus;
  readonly jobType?: JobType;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface CampaignPage {
  readonly campaigns: readonly CampaignSummary[];
  readonly nextCursor: string | null;
}

/** A file of a campaign. */
export interface CampaignOutput {
  readonly variant: string;
  readonly locale: string | null;
  readonly size: string;
  readonly device: string | null;
  readonly exportId: string;
  readonly fileId: string;
  readonly cached: boolean;
  readonly file: ExportFile;
}

export interface CampaignFailure extends Pick<CampaignCell, 'variant' | 'locale' | 'size' | 'exportId'> {
  readonly status: 'failed' | 'canceled';
  readonly error: ExportFailure;
}

export interface GeneratedCampaign {
  /** Every cell has its file. */
  readonly success: boolean;
  readonly batchId: string;
  readonly totalRendered: number;
  readonly outputs: readonly CampaignOutput[];
  readonly failures: readonly CampaignFailure[];
}
