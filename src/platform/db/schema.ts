/** The tables as Kysely sees them. `migrations/` is the truth; a test compares the two. */
import type { ColumnType, Generated } from 'kysely';
import type { RenderModeGrants } from '../../core/choose-render-mode.ts';
import type { ExportStatus, RenderMode } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { StatPeriod, StatScope } from '../../core/statistics-sums.ts';
import type { TierName, TierOverrides } from '../../core/tiers.ts';
import type { Json, JsonOrNull } from './column-types.ts';
import type { ArtifactTable, DownloadCountTable, DownloadWindowTable } from './schema-artifacts.ts';
import type { BatchRunTable, BatchTable, BatchVariantTable } from './schema-batches.ts';
import type {
  DeliveryShardTable,
  ErasureRequestTable,
  EventCursorTable,
  EventDefinitionTable,
  EventDeliveryTable,
  EventSinkTable,
  EventUseTable,
  IdentityLinkTable,
  PersonActivityTable,
  PersonConsentTable,
  VisitorTable,
  WebhookSecretTable,
} from './schema-events.ts';
import type { LambdaLeaseTable, LambdaLimitTable } from './schema-lambda.ts';
import type {
  RenderChunkTable,
  RenderModeWatchTable,
  StoredChunkPlan,
  StoredRemoteRender,
  StoredRequest,
  WorkerTable,
} from './schema-rendering.ts';

/** Ordered like numbers, wider than a double holds exactly: a string in our hands. */
type Xid = ColumnType<string, never, never>;

export interface InstallationTable {
  only_row: Generated<boolean>;
  environment: string;
  storage_id: string | null;
}

export interface OrganizationTable {
  id: string;
  name: string;
  time_zone: Generated<string>;
  tier_overrides: ColumnType<TierOverrides, string | undefined, string>;
  render_modes: ColumnType<RenderModeGrants, string | undefined, string>;
  link_secret: Buffer;
  unknown_events: Generated<'mark' | 'refuse'>;
  created_at: Generated<Date>;
}

export interface ApiKeyTable {
  id: string;
  organization_id: string;
  kind: 'secret' | 'publishable' | 'admin';
  name: string;
  prefix: string;
  hash: Buffer;
  created_at: Generated<Date>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface EndUserTable {
  organization_id: string;
  id: string;
  tier: Generated<TierName>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface UserMilestoneTable {
  organization_id: string;
  user_id: string;
  name: string;
  reached_at: Date;
}

export interface ProjectTable {
  organization_id: string;
  id: string;
  name: string | null;
  export_count: Generated<number>;
  last_export_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface BundleTable {
  organization_id: string;
  version: string;
  storage_key: string;
  size_in_bytes: number;
  registered_at: Date;
}

export interface CompositionTable {
  organization_id: string;
  version: string;
  id: string;
  width: number | null;
  height: number | null;
  fps: number | null;
  duration_in_frames: number | null;
  has_calculate_metadata: boolean;
  default_props: Json<Record<string, unknown>>;
  props_schema: JsonOrNull<Record<string, unknown>>;
  schema_notes: Json<string[]>;
}

export interface StoredProgress {
  stage: string;
  percent: number;
  renderedFrames: number;
  totalFrames: number;
  timeLeftMs: number | null;
}

export interface ExportTable {
  id: string;
  organization_id: string;
  user_id: string;
  project_id: string;
  batch_id: string | null;
  run: number | null;
  variant: number | null;
  size: number | null;
  group_key: string | null;
  group_id: string | null;
  line_order: Generated<number>;
  kind: ExportKind;
  format: OutputFormat;
  render_mode: RenderMode;
  status: Generated<ExportStatus>;
  epoch: Generated<number>;
  attempt: Generated<number>;
  failed_attempts: Generated<number>;
  hand_backs: Generated<number>;
  priority: Generated<number>;
  composition_id: string;
  version: string;
  request: Json<StoredRequest>;
  width: number | null;
  height: number | null;
  duration: number | null;
  tier: TierName;
  max_duration: number | null;
  /** YYYY-MM-DD in the organization's time zone. */
  charged_day: string;
  /** 0 to 23, in the same time zone. */
  charged_hour: number;
  charged_credits: Generated<number>;
  progress: JsonOrNull<StoredProgress>;
  progress_at: Date | null;
  content_hash: string | null;
  cached: Generated<boolean>;
  /** Milliseconds of rendering of the attempt that completed. */
  render_ms: number | null;
  cost: number | null;
  /** A video that is cut: into how many chunks; null: rendered whole. */
  chunks: number | null;
  chunk_plan: JsonOrNull<StoredChunkPlan>;
  chunks_done: Generated<number>;
  remote_render: JsonOrNull<StoredRemoteRender>;
  not_before: Date | null;
  error_code: string | null;
  error_text: string | null;
  worker_id: string | null;
  correlation_id: string | null;
  status_polls: Generated<number>;
  input_hash: string | null;
  cancel_requested_at: Date | null;
  created_at: Date;
  fed_at: Date | null;
  started_at: Date | null;
  attempt_started_at: Date | null;
  completed_at: Date | null;
  failed_at: Date | null;
  canceled_at: Date | null;
  updated_at: Date;
}

export interface StillCheckTable {
  organization_id: string;
  version: string;
  composition_id: string;
  renderer_version: string;
  identical: boolean;
  checked_at: Date;
}

export interface UsageDayTable {
  organization_id: string;
  user_id: string;
  day: string;
  used: number;
}

export interface IdempotencyKeyTable {
  organization_id: string;
  route: string;
  key: string;
  request_hash: string;
  response: JsonOrNull<Record<string, unknown>>;
  expires_at: Date;
}

export interface CreditBalanceTable {
  organization_id: string;
  user_id: string;
  balance: number;
}

export interface CreditEntryTable {
  id: string;
  organization_id: string;
  user_id: string;
  kind: 'grant' | 'top_up' | 'spend' | 'refund';
  amount: number;
  balance_after: number;
  export_id: string | null;
  batch_id: string | null;
  run: number | null;
  reason: string | null;
  created_at: Date;
}

export interface DomainEventTable {
  id: string;
  event_name: string;
  occurred_at: Date;
  received_at: Date;
  organization_id: string;
  user_id: string | null;
  distinct_id: string | null;
  session_id: string | null;
  entity_type: string | null;
  entity_id: string | null;
  correlation_id: string | null;
  source: 'web' | 'server' | 'worker';
  environment: string;
  schema_version: number;
  properties: Json<Record<string, unknown>>;
  context: Json<Record<string, unknown>>;
  is_processed: Generated<boolean>;
  processed_at: Date | null;
  delivery_attempts: Generated<number>;
  derived: JsonOrNull<Record<string, unknown>>;
  retention_class: 'behaviour' | 'business';
  position: Generated<number>;
  xid: Xid;
  is_known: Generated<boolean>;
  open_deliveries: Generated<number>;
}

export interface DomainEventKeyTable {
  organization_id: string;
  event_id: string;
  received_at: Date;
}

/** What an export adds to, or takes from, the sums; a trigger of the database writes it. Times in microseconds. */
export interface ExportStatDeltaTable {
  organization_id: string;
  user_id: string;
  project_id: string;
  day: string;
  hour: number;
  format: OutputFormat;
  accepted: Generated<number>;
  completed: Generated<number>;
  failed: Generated<number>;
  canceled: Generated<number>;
  cached: Generated<number>;
  footage_count: Generated<number>;
  footage_us: Generated<number>;
  render_count: Generated<number>;
  render_us: Generated<number>;
  bytes: Generated<number>;
  last_export_at: Date | null;
}

export interface ExportStatTable {
  organization_id: string;
  scope: StatScope;
  period: StatPeriod;
  scope_id: string;
  /** First day of the period; `-infinity` for all time. */
  starts: string;
  format: OutputFormat;
  accepted: number;
  completed: number;
  failed: number;
  canceled: number;
  cached: number;
  footage_count: number;
  footage_us: number;
  render_count: number;
  render_us: number;
  bytes: number;
  last_export_at: Date | null;
}

export interface ExportHourStatTable {
  organization_id: string;
  day: string;
  hour: number;
  accepted: number;
  completed: number;
  failed: number;
}

export interface ExportActiveMonthTable {
  organization_id: string;
  scope: Exclude<StatScope, 'organization'>;
  /** Its first day. */
  month: string;
  scope_id: string;
  /** Bit 0 is the first day of the month. */
  days: number;
}

export interface Schema {
  installation: InstallationTable;
  organization: OrganizationTable;
  api_key: ApiKeyTable;
  end_user: EndUserTable;
  user_milestone: UserMilestoneTable;
  project: ProjectTable;
  bundle: BundleTable;
  composition: CompositionTable;
  still_check: StillCheckTable;
  batch: BatchTable;
  batch_variant: BatchVariantTable;
  batch_run: BatchRunTable;
  export: ExportTable;
  usage_day: UsageDayTable;
  idempotency_key: IdempotencyKeyTable;
  worker: WorkerTable;
  render_chunk: RenderChunkTable;
  render_mode_watch: RenderModeWatchTable;
  lambda_limit: LambdaLimitTable;
  lambda_lease: LambdaLeaseTable;
  artifact: ArtifactTable;
  download_window: DownloadWindowTable;
  download_count: DownloadCountTable;
  credit_balance: CreditBalanceTable;
  credit_entry: CreditEntryTable;
  export_stat_delta: ExportStatDeltaTable;
  export_stat: ExportStatTable;
  export_hour_stat: ExportHourStatTable;
  export_active_month: ExportActiveMonthTable;
  domain_event: DomainEventTable;
  domain_event_key: DomainEventKeyTable;
  event_definition: EventDefinitionTable;
  visitor: VisitorTable;
  identity_link: IdentityLinkTable;
  person_consent: PersonConsentTable;
  erasure_request: ErasureRequestTable;
  event_cursor: EventCursorTable;
  event_use: EventUseTable;
  person_activity: PersonActivityTable;
  event_sink: EventSinkTable;
  webhook_secret: WebhookSecretTable;
  event_delivery: EventDeliveryTable;
  delivery_shard: DeliveryShardTable;
}
