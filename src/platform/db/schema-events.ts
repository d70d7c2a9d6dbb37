/** The tables of events, of the people whom they are about, and of their delivery; see schema.ts. */
import type { ColumnType, Generated } from 'kysely';
import type { DeliveryFailure, DeliveryState } from '../../core/delivery/outcomes.ts';
import type { RetentionClass } from '../../core/events/define-event.ts';
import type { Json, JsonOrNull } from './column-types.ts';

export interface EventDefinitionTable {
  organization_id: string;
  name: string;
  schema_version: number;
  description: Generated<string>;
  sources: string[];
  retention_class: RetentionClass;
  properties: Json<Record<string, unknown>>;
  created_at: Date;
}

export interface VisitorTable {
  organization_id: string;
  distinct_id: string;
  first_seen_at: Date;
  last_seen_at: Date;
  first_touch: JsonOrNull<Record<string, unknown>>;
  last_touch: JsonOrNull<Record<string, unknown>>;
}

export interface IdentityLinkTable {
  organization_id: string;
  distinct_id: string;
  user_id: string;
  linked_at: Date;
}

export type PersonKind = 'visitor' | 'user';

export interface PersonConsentTable {
  organization_id: string;
  person_kind: PersonKind;
  person_id: string;
  ads_allowed: boolean | null;
  ads_stated_at: Date | null;
  analytics_allowed: boolean | null;
  analytics_stated_at: Date | null;
}

export interface ErasureRequestTable {
  organization_id: string;
  id: string;
  pseudonym: string;
  user_id: string | null;
  distinct_ids: Generated<string[]>;
  up_to_position: number;
  /** xid8, wider than a double holds: text in our hands. */
  up_to_xid: string;
  deleted_at: Date;
  requested_at: Date;
  next_at: Date;
  events_deleted: Generated<number>;
  events_pseudonymised: Generated<number>;
  log_done_at: Date | null;
  posthog_state: 'not_configured' | 'waiting' | 'done' | 'failed' | null;
  posthog_request: JsonOrNull<Record<string, unknown>>;
  posthog_answer: JsonOrNull<Record<string, unknown>>;
  posthog_attempts: Generated<number>;
  done_at: Date | null;
}

export interface EventCursorTable {
  name: string;
  /** xid8, wider than a double holds: text in our hands. */
  xid: ColumnType<string, string | undefined, string>;
  position: Generated<number>;
}

export interface EventUseTable {
  organization_id: string;
  event_name: string;
  /** Empty: counts for the whole organization. */
  user_id: string;
  uses: number;
  first_at: Date;
}

export interface PersonActivityTable {
  organization_id: string;
  person_kind: PersonKind;
  person_id: string;
  first_seen_at: Date | null;
  last_seen_at: Date | null;
  returned_at: Date | null;
  uploaded_in_return: Generated<boolean>;
  first_session_jobs: Generated<number>;
  last_upload_at: Date | null;
  cta_clicked_at: Date | null;
  credits_granted_at: Date | null;
  upload_viewed_at: Date | null;
  landed_at: Date | null;
}

export interface EventSinkTable {
  id: string;
  kind: string;
  organization_id: string | null;
  description: Generated<string>;
  event_names: string[] | null;
  config: ColumnType<Record<string, unknown>, string | undefined, string>;
  shards: number;
  status: Generated<'enabled' | 'disabled' | 'removed'>;
  status_reason: string | null;
  consecutive_failures: Generated<number>;
  failing_since: Date | null;
  open_until: Date | null;
  last_error: string | null;
  last_success_at: Date | null;
  last_failed_at: Date | null;
  warned_hours: Generated<number>;
  disables_at: Date | null;
  disabled_at: Date | null;
  missed_from: Date | null;
  missed_until: Date | null;
  configured_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export interface WebhookSecretTable {
  id: string;
  sink_id: string;
  /** With `key_id`: nonce, tag and ciphertext of AES-256-GCM. */
  secret: Buffer;
  key_id: string | null;
  created_at: Date;
  expires_at: Date | null;
}

/** One attempt as it is kept and shown. */
export interface LoggedAttempt {
  /** ISO 8601. */
  readonly at: string;
  readonly ms: number;
  readonly outcome: 'delivered' | 'refused' | 'unavailable';
  readonly status?: number;
  readonly error?: string;
  /** The first bytes of the answer. */
  readonly response?: string;
}

export interface EventDeliveryTable {
  sink_id: string;
  organization_id: string;
  event_id: string;
  event_name: string;
  received_at: Date;
  retention_class: RetentionClass;
  seq: Generated<number>;
  /** A hash of 64 bits, which a double would round: it is cast to text where it is read at all. */
  lane: ColumnType<number, string, string>;
  shard: number;
  state: Generated<DeliveryState>;
  attempts: Generated<number>;
  next_at: Date;
  failure: DeliveryFailure | null;
  reason: string | null;
  attempt_log: ColumnType<readonly LoggedAttempt[], string | undefined, string>;
  created_at: Date;
  ended_at: Date | null;
}

export interface DeliveryShardTable {
  sink_id: string;
  shard: number;
  due_at: Date | null;
  leased_until: Date | null;
  epoch: Generated<number>;
  delivered: Generated<number>;
  skipped: Generated<number>;
  failed: Generated<number>;
  dead: Generated<number>;
  latency_ms: Generated<number>;
  latency_buckets: Generated<number[]>;
}
