/** Properties that several families share. Names in snake_case come from the documents that define those events. */
import { z } from 'zod';

export const timestamp = z.iso.datetime().describe('When it happened, ISO 8601 in UTC');
export const count = z.int().min(0);
export const pixels = z.int().min(1).describe('Pixels');
export const milliseconds = z.number().min(0).describe('Milliseconds');
export const seconds = z.number().min(0).describe('Seconds');

/** An id that a tenant's own system gave: many count theirs. */
export const foreignId = z.union([z.string(), z.int()]);

export const text = z.string().optional();
export const flag = z.boolean().optional();

/** Which export: ours, beside the properties that the defining document names. */
export const exportFacts = {
  exportId: z.string().optional(),
  projectId: z.string().optional(),
  renderMode: z.enum(['local', 'lambda']).optional(),
  batchId: z.string().optional(),
};

/** What was handed out: the same when it begins and when it ends. */
export const downloadFacts = {
  exportType: z.enum(['zip', 'single_file']),
  fileCount: z.int().min(1),
  sizeInBytes: count,
  format: z.string().optional(),
  timestamp,
  fileId: z.string().optional(),
  exportId: z.string().optional(),
  batchId: z.string().optional(),
};

/** Where a visitor came from. Source: the event catalog document, sections 2 A, 4 and 9 F. */
export const attributionFacts = {
  utm_source: text,
  utm_medium: text,
  utm_campaign: text,
  utm_adset: text,
  utm_content: text,
  utm_term: text,
  fbclid: text.describe("Meta's click id, as it stood in the address"),
  gclid: text.describe("Google's click id, as it stood in the address"),
  ad_platform: text.describe('Such as meta, google, tiktok'),
  campaign_id: text.describe("The advertiser's campaign, never one of renders"),
  adset_id: text,
  ad_id: text,
  creative_id: text,
  ad_angle: text.describe('What the ad promises, such as ugc_deliverable, quality, speed, privacy'),
  referrer: text,
  landing_variant: text,
  landing_variant_id: text,
  experiment_variant: text,
  page_path: text.describe('Path of the page, without its host'),
  device: text.describe('Such as desktop, mobile, tablet'),
  device_network_type: text.describe('Such as wifi, 4g'),
  geo: text.describe('Country, or country and region'),
  session_id: text.describe('As in the envelope'),
};

/** What a job works on, in a product that takes an upload. Source: the event catalog document, sections 2 C and 9 B. */
export const footageFacts = {
  mode: z.enum(['crop', 'inpaint']).optional(),
  detected_platform: text.describe('Such as tiktok, sora, runway'),
  watermark_type: text.describe('Such as sora, tiktok, runway, unknown'),
  watermark_position: z.enum(['edge', 'corner', 'center', 'unknown']).optional(),
  watermark_confidence: z.number().min(0).max(1).optional().describe('0 to 1'),
  video_bytes: count.optional(),
  duration_seconds: seconds.optional().describe('Seconds of footage'),
  resolution: text.describe('Pixels, as 1080x1080'),
  audio_present: flag,
};

/** A user's credits around what happened. */
export const creditFacts = {
  credits_before: z.number().optional(),
  credits_after: z.number().optional(),
};
