/** The documents' own lists: of names, of properties, of where events stand in the funnel. */
import type { EventFamily } from '../../../src/core/events/define-event.ts';

interface DocumentedProperty {
  readonly type: 'string' | 'number' | 'boolean';
  readonly optional: boolean;
}

const text: DocumentedProperty = { type: 'string', optional: false };
const optionalText: DocumentedProperty = { type: 'string', optional: true };
const number: DocumentedProperty = { type: 'number', optional: false };
const optionalNumber: DocumentedProperty = { type: 'number', optional: true };

/** The tables "Event Properties" of the document on core value event tracking (TRACK-004). */
export const coreValueProperties: Readonly<Record<string, Readonly<Record<string, DocumentedProperty>>>> = {
  video_rendered: {
    compositionId: text,
    templateId: optionalText,
    format: text,
    width: number,
    height: number,
    sizeInBytes: optionalNumber,
    duration: optionalNumber,
    timestamp: text,
    userId: optionalText,
  },
  batch_completed: {
    jobId: text,
    jobType: text,
    campaignId: optionalText,
    totalItems: number,
    successCount: number,
    failCount: number,
    variantCount: optionalNumber,
    sizeCount: optionalNumber,
    duration: optionalNumber,
    timestamp: text,
  },
  export_downloaded: {
    exportType: text,
    fileCount: number,
    sizeInBytes: number,
    format: optionalText,
    organizationStrategy: optionalText,
    includesManifest: { type: 'boolean', optional: true },
    timestamp: text,
  },
};

const aToG = {
  acquisition: ['ad_click', 'landing_view', 'cta_click', 'pricing_view', 'faq_expand'],
  activation: [
    ...['signup_start', 'signup_submit', 'auth_email_sent', 'auth_email_delivered', 'auth_email_opened'],
    ...[
      'auth_email_link_clicked',
      'login_success',
      'credits_granted',
      'onboarding_view',
      'activation_complete',
    ],
  ],
  core_value: ['upload_view', 'upload_started', 'upload_completed', 'download_clicked', 'share_clicked'],
  jobs: [
    ...[
      'job_created',
      'watermark_detected',
      'processing_started',
      'processing_completed',
      'processing_failed',
    ],
    ...['job_refunded', 'job_timeout'],
  ],
  downloads: ['download_completed'],
  monetization: [
    ...['paywall_view', 'checkout_started', 'checkout_step', 'purchase_completed', 'subscription_started'],
    ...[
      'subscription_renewed',
      'subscription_canceled',
      'topup_purchased',
      'invoice_failed',
      'refund_issued',
    ],
    'plan_changed',
  ],
  retention: [
    ...[
      'return_session',
      'upload_returning_user',
      'job_completed_returning_user',
      'low_credits_warning_shown',
    ],
    ...['low_credits_topup_clicked', 'notification_sent', 'notification_clicked'],
  ],
  reliability: ['error_shown', 'api_error', 'storage_error', 'latency_bucket'],
  compliance: [
    'cookie_consent_updated',
    'account_deletion_started',
    'account_deleted',
    'data_export_requested',
  ],
} satisfies Partial<Record<EventFamily, string[]>>;

const domainEvents = {
  inventory: [
    ...['inventory_adjusted', 'inventory_item_created', 'inventory_item_custom_created'],
    'inventory_item_global_created',
  ],
  batches: ['batch_started', 'batch_cancelled', 'batch_failed', 'batch_metrics_computed'],
  timers: ['timer_started', 'timer_stopped'],
  recipes: [
    ...['recipe_created', 'recipe_variation_created', 'recipe_test_created', 'recipe_updated'],
    'recipe_deleted',
  ],
  products: ['product_created', 'product_variant_created', 'sku_created'],
  planning: ['plan_production_requested', 'stock_check_run'],
  billing: ['signup_checkout_completed'],
  activation: ['onboarding_completed'],
  acquisition: ['first_landing_recorded', 'signup_page_viewed'],
} satisfies Partial<Record<EventFamily, string[]>>;

/** Core value, activity, retention (TRACK-006), and the signals of section 9 that are things that happen. */
const elsewhere = {
  core_value: ['video_rendered', 'batch_completed', 'export_downloaded'],
  milestones: ['first_render_completed'],
  engagement: [
    ...['page_viewed', 'pageleave', 'button_clicked', 'feature_used', 'project_created', 'mode_selected'],
    ...['plan_viewed', 'topup_pack_viewed', 'coupon_seen', 'support_contacted', 'result_rating'],
  ],
  activation: ['signup_completed'],
  retention: ['return_visit', 'feature_discovery'],
} satisfies Partial<Record<EventFamily, string[]>>;

export const documentedNames: readonly (readonly [family: string, name: string])[] = [
  aToG,
  domainEvents,
  elsewhere,
].flatMap((list) =>
  Object.entries(list).flatMap(([family, names]) => names.map((name) => [family, name] as const)),
);

/** Names of the documents, and spellings beside them, that mean an event under another one. */
export const documentedAliases = {
  user_login_succeeded: 'login_success',
  signup_checkout_started: 'checkout_started',
  job_completed: 'processing_completed',
  refund_credit_returned: 'job_refunded',
  support_contacted_after_job: 'support_contacted',
  topup_clicked: 'low_credits_topup_clicked',
  pricing_viewed: 'pricing_view',
  first_render: 'first_render_completed',
  subscription_cancelled: 'subscription_canceled',
  batch_canceled: 'batch_cancelled',
  job_cancelled: 'job_canceled',
  $pageview: 'page_viewed',
  $pageleave: 'pageleave',
} as const;

/** Section 2's lists of properties, by the families that they belong to. */
export const documentedFamilyProperties: Readonly<Record<string, readonly string[]>> = {
  acquisition: [
    ...['utm_source', 'utm_campaign', 'utm_adset', 'utm_content', 'fbclid', 'gclid', 'referrer'],
    ...['landing_variant', 'page_path', 'device', 'geo', 'session_id'],
  ],
  jobs: [
    'job_id',
    'mode',
    'detected_platform',
    'watermark_confidence',
    'video_bytes',
    'duration_seconds',
    'resolution',
  ],
  monetization: [
    ...['order_id', 'sku', 'plan', 'billing_period', 'price', 'currency', 'credits_added', 'coupon'],
    ...['payment_provider', 'is_trial', 'ltv_to_date'],
  ],
};

/** The rest of the jobs' list, which only the end of a job can tell. */
export const documentedEndOfJob = [
  ...[
    'processing_time_ms',
    'success_bool',
    'failure_reason',
    'error_code',
    'credits_before',
    'credits_after',
  ],
];

/** Section 3. */
export const documentedStages = {
  Acq: ['landing_view', 'cta_click'],
  Act: ['login_success', 'credits_granted', 'activation_complete'],
  Value: ['job_created', 'processing_completed', 'download_clicked'],
  Rev: ['checkout_started', 'purchase_completed'],
  Ret: ['return_session', 'job_completed_returning_user'],
  Risk: ['processing_failed', 'error_shown', 'invoice_failed'],
} as const;

export const documentedNorthStars = {
  activation_complete: 'Activated',
  processing_completed: 'First Value',
  download_clicked: 'Aha Moment',
  purchase_completed: 'Monetized',
} as const;

/** Section 11; where it is the first time only, says so. A registration is completed once. */
export const documentedMetaEvents = {
  landing_view: { event: 'PageView' },
  pricing_view: { event: 'ViewContent' },
  signup_start: { event: 'Lead' },
  login_success: { event: 'CompleteRegistration', firstOnly: true },
  checkout_started: { event: 'InitiateCheckout' },
  purchase_completed: { event: 'Purchase' },
  processing_completed: { event: 'AddToCart', firstOnly: true },
} as const;
