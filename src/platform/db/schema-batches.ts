/** The tables of batches; see schema.ts. */
import type { Generated } from 'kysely';
import type { BatchSize, JobType, RunStatus } from '../../core/batches.ts';
import type { RenderMode } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { TierName } from '../../core/tiers.ts';
import type { Json, JsonOrNull } from './column-types.ts';
import type { StoredRequest } from './schema-rendering.ts';

/** What every cell of a batch is asked for beyond its props and its size. */
export type CellTemplate = Pick<StoredRequest, 'scale' | 'quality' | 'frame' | 'frameRange'>;

export interface BatchTable {
  id: string;
  organization_id: string;
  user_id: string;
  project_id: string;
  job_type: JobType;
  campaign_id: string | null;
  run: Generated<number>;
  kind: ExportKind;
  format: OutputFormat;
  render_mode: RenderMode;
  composition_id: string;
  version: string;
  template: Json<CellTemplate>;
  sizes: Json<readonly BatchSize[]>;
  variant_count: number;
  reuse: boolean;
  report: JsonOrNull<Record<string, unknown>>;
  created_at: Date;
  updated_at: Date;
}

export interface BatchVariantTable {
  batch_id: string;
  position: number;
  name: string;
  locale: string | null;
  props: Json<Record<string, unknown>>;
  line: number | null;
}

export interface BatchRunTable {
  batch_id: string;
  run: number;
  status: Generated<RunStatus>;
  total: number;
  planned: Generated<number>;
  succeeded: Generated<number>;
  failed: Generated<number>;
  canceled: Generated<number>;
  cached: Generated<number>;
  tier: TierName;
  max_duration: number | null;
  charged_day: string;
  charged_hour: number;
  credits_per_cell: number;
  correlation_id: string | null;
  due: Generated<boolean>;
  epoch: Generated<number>;
  fed_at: Date | null;
  cancel_requested_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  closed_at: Date | null;
  updated_at: Date;
}
