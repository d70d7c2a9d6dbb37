import type { EventName, EventProperties } from '../../../src/core/events/catalog.ts';

const page = { page_path: '/pricing' };
const attribution = {
  ...page,
  utm_source: 'facebook',
  utm_medium: 'paid',
  utm_campaign: 'Prospecting | Broad US',
  utm_adset: 'Broad',
  utm_content: 'Hero v3',
  utm_term: 'banner ads',
  fbclid: 'IwAR0x',
  gclid: 'Cj0KCQ',
  ad_platform: 'meta',
  campaign_id: '123',
  adset_id: '456',
  ad_id: '789',
  creative_id: 'cr_001',
  ad_angle: 'ugc_deliverable',
  referrer: 'https://l.facebook.com/',
  landing_variant: 'hero',
  landing_variant_id: 'hero_v3',
  experiment_variant: 'b',
  device: 'mobile',
  device_network_type: '4g',
  geo: 'US-CA',
  session_id: 'sess_abc123',
};
const mail = { method: 'magic_link', email_provider: 'resend' };
const signup = { ...attribution, method: 'email', email: 'ann@example.com', plan: 'starter' };
const order = {
  order_id: 'order-1',
  sku: 'pack-10',
  plan: 'pro',
  billing_period: 'one-time',
  price: 9.5,
  currency: 'USD',
  credits_added: 10,
  coupon: null,
  payment_provider: 'stripe',
  is_trial: false,
  ltv_to_date: 19,
} as const;
const footage = {
  mode: 'inpaint',
  detected_platform: 'tiktok',
  watermark_type: 'tiktok',
  watermark_position: 'corner',
  watermark_confidence: 0.91,
  video_bytes: 1234,
  duration_seconds: 12.5,
  resolution: '1080x1920',
  audio_present: true,
} as const;
const upload = { ...footage, ...page, job_id: 'job_987' };
const file = { upload_id: 7, content_type: 'video/mp4', file_name: 'a.mp4' };
const result = { exportId: 'export-1', fileId: 'file-1', batchId: 'batch-1', format: 'mp4' };
const view = {
  ...page,
  page: '/dashboard',
  path: '/dashboard',
  url: 'https://example.com/dashboard',
  title: 'Dashboard',
  referrer: '',
  duration: 120,
  scroll_depth_bucket: 75,
} as const;
const item = {
  item_id: 7,
  item_type: 'ingredient',
  unit: 'g',
  initial_quantity: 500,
  is_tracked: true,
  global_item_id: null,
};
const timer = { timer_id: 3, batch_id: 'batch-1', duration_seconds: 600, description: 'Cure' };
const recipe = { recipe_id: 12, parent_recipe_id: null, name: 'Soap', is_test: false, is_variation: false };
const product = { product_id: 'p-1', variant_id: 4, name: 'Soap' };
const planning = { recipe_id: 12, scale: 1.5, success: true };
const account = { reason: 'asked' };

type OurName =
  | 'video_rendered'
  | 'batch_started'
  | 'batch_completed'
  | 'batch_failed'
  | 'batch_cancelled'
  | 'batch_metrics_computed'
  | 'export_downloaded'
  | 'download_completed'
  | 'first_render_completed'
  | 'job_created'
  | 'processing_started'
  | 'processing_completed'
  | 'processing_failed'
  | 'job_timeout'
  | 'job_canceled'
  | 'job_refunded'
  | 'credits_granted'
  | 'activation_complete'
  | 'first_landing_recorded'
  | 'topup_purchased'
  | 'plan_changed'
  | 'return_session'
  | 'upload_returning_user'
  | 'job_completed_returning_user'
  | 'notification_sent'
  | 'api_error'
  | 'storage_error'
  | 'latency_bucket'
  | 'webhook_endpoint_failing'
  | 'webhook_endpoint_disabled'
  | 'identity_linked';

/** Of the events that only a tenant sends: every property, with a value that it takes. */
export const tenantExamples: {
  readonly [Name in Exclude<EventName, OurName>]: Required<EventProperties<Name>>;
} = {
  ad_click: attribution,
  landing_view: attribution,
  cta_click: {
    ...attribution,
    cta: 'get-started',
    time_on_landing_before_cta: 8,
    time_to_first_cta_click: 8,
  },
  pricing_view: { ...attribution, pricing_time_spent: 31.5 },
  faq_expand: { ...attribution, faq_topic: 'refunds', faq_opened_topics: ['refunds'] },
  signup_page_viewed: attribution,
  signup_start: signup,
  signup_submit: signup,
  signup_completed: signup,
  auth_email_sent: mail,
  auth_email_delivered: mail,
  auth_email_opened: mail,
  auth_email_link_clicked: mail,
  login_success: { method: 'otp', email: 'ann@example.com', seconds_since_first_landing: 90 },
  onboarding_view: signup,
  onboarding_completed: { checklist_completed: true, team_size: 3, seconds_since_first_landing: 300 },
  upload_view: upload,
  upload_started: { ...upload, ...file },
  upload_completed: { ...upload, ...file, duration: 2100 },
  download_clicked: { ...upload, ...result },
  share_clicked: { ...upload, ...result, channel: 'copy_link' },
  watermark_detected: {
    ...footage,
    job_id: 'job_987',
    exportId: 'export-1',
    projectId: 'project-1',
    renderMode: 'local',
    batchId: 'batch-1',
    compositionId: 'hero-ad',
    kind: 'watermark',
    format: 'mp4',
    tier: 'free',
    device_network_type: 'wifi',
    timestamp: '2026-01-12T05:12:34.123Z',
  },
  paywall_view: order,
  checkout_started: { ...order, credits_balance_at_checkout: 2 },
  checkout_step: { ...order, step: 'payment' },
  purchase_completed: order,
  subscription_started: order,
  subscription_renewed: order,
  subscription_canceled: { ...order, reason: 'too expensive' },
  invoice_failed: { ...order, failure_reason: null, error_code: 'card_declined' },
  refund_issued: { ...order, reason: 'asked' },
  signup_checkout_completed: order,
  return_visit: page,
  feature_discovery: { ...page, feature: 'zip' },
  low_credits_warning_shown: { ...page, credits_left: 1 },
  low_credits_topup_clicked: { ...page, credits_left: 1 },
  notification_clicked: { ...page, channel: 'email', job_id: 'job_987' },
  error_shown: { ...page, error_code: 'too_large', failure_reason: null, job_id: 'job_987' },
  cookie_consent_updated: { ads_allowed: true, analytics_allowed: false },
  account_deletion_started: account,
  account_deleted: account,
  data_export_requested: account,
  page_viewed: view,
  pageleave: view,
  button_clicked: { ...page, button: 'generate' },
  feature_used: { ...page, feature: 'ai_generation', model: 'gpt-4', success: true },
  project_created: { ...page, projectId: 'abc123' },
  mode_selected: { ...page, mode: 'crop', job_id: 'job_987' },
  plan_viewed: { ...page, plan: 'business' },
  topup_pack_viewed: { ...page, pack: 'small', selected_pack: 'large' },
  coupon_seen: { ...page, coupon: 'SUMMER' },
  coupon_applied: { ...page, coupon: 'SUMMER' },
  support_contacted: { ...page, channel: 'chat', topic: 'refund', job_id: 'job_987' },
  result_rating: { ...page, rating: 'down', reason_code: 'blurry', job_id: 'job_987' },
  inventory_adjusted: { item_id: 7, item_type: 'ingredient', unit: 'g', quantity: -20, reason: 'batch' },
  inventory_item_created: { ...item, creation_source: 'custom' },
  inventory_item_custom_created: { ...item, creation_source: 'custom' },
  inventory_item_global_created: { ...item, creation_source: 'global', global_item_id: 9 },
  timer_started: timer,
  timer_stopped: timer,
  recipe_created: recipe,
  recipe_variation_created: { ...recipe, parent_recipe_id: 11, is_variation: true },
  recipe_test_created: { ...recipe, parent_recipe_id: 11, is_test: true },
  recipe_updated: recipe,
  recipe_deleted: recipe,
  product_created: product,
  product_variant_created: product,
  sku_created: { ...product, sku: 'SOAP-1' },
  plan_production_requested: { ...planning, container_id: null, all_available: false, issue_count: 2 },
  stock_check_run: { ...planning, stock_item_count: 14 },
};
