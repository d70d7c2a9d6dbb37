/** What people do in a product, on its pages and off them. Sources: the activity tracking document; the event catalog document, section 9. */
import { z } from 'zod';
import { defineFamily } from './define-event.ts';
import { foreignId, seconds, text } from './properties.ts';

const scrollDepth = z.literal([25, 50, 75, 100]).optional().describe('Per cent of the page, rounded down');

const act = defineFamily(
  { family: 'engagement', retention: 'behaviour', sources: ['web', 'server'] },
  {
    page_path: text.describe('Path of the page, without its host'),
  },
);

const page = {
  page: text,
  path: text,
  url: text,
  title: text,
  referrer: text,
  duration: seconds.optional().describe('Seconds on the page'),
  scroll_depth_bucket: scrollDepth,
};

const aJob = { job_id: text };

export const engagementEvents = {
  page_viewed: act('A page was viewed.', page, {
    aliases: ['page_view', 'pageview', '$pageview'],
    sinks: { posthog: '$pageview' },
  }),
  pageleave: act('A page was left.', page, {
    aliases: ['page_left', 'page_leave', '$pageleave'],
    sinks: { posthog: '$pageleave' },
  }),
  button_clicked: act(
    'A button was clicked.',
    { button: text.describe('Which one') },
    { aliases: ['button_click'] },
  ),
  feature_used: act(
    'A feature was used.',
    { feature: z.string(), model: text, success: z.boolean().optional() },
    { countsUse: true },
  ),
  project_created: act('A project was made.', { projectId: foreignId.optional() }, { countsUse: true }),
  mode_selected: act('A way of working was chosen.', {
    mode: text.describe('Such as crop, inpaint'),
    ...aJob,
  }),
  plan_viewed: act('A plan was looked at.', { plan: text.describe('Such as starter, pro, business') }),
  topup_pack_viewed: act('Packs of credits were looked at.', { pack: text, selected_pack: text }),
  coupon_seen: act('A coupon was seen.', { coupon: text }),
  coupon_applied: act('A coupon was applied.', { coupon: text }),
  support_contacted: act(
    'Someone turned to support.',
    { channel: text, topic: text, ...aJob },
    { aliases: ['support_contacted_after_job', 'support_contact'] },
  ),
  result_rating: act(
    'Someone said whether a result is good.',
    { rating: z.enum(['up', 'down']).optional(), reason_code: text, ...aJob },
    { aliases: ['result_rated'] },
  ),
};
