/** Where people came from, and what they saw before they signed up. Source: the event catalog document, section 2 A. */
import { z } from 'zod';
import { defineFamily } from './define-event.ts';
import { attributionFacts, seconds, text } from './properties.ts';

const seen = defineFamily(
  { family: 'acquisition', retention: 'behaviour', sources: ['web', 'server'] },
  attributionFacts,
);

export const acquisitionEvents = {
  ad_click: seen(
    'Someone clicked an ad, where the click itself can be captured.',
    {},
    { aliases: ['ad_clicked'] },
  ),
  landing_view: seen(
    'The first page that someone saw who came from an ad, a link or a search.',
    {},
    { aliases: ['landing_viewed'], stage: 'Acq', sinks: { meta: { event: 'PageView' } } },
  ),
  first_landing_recorded: seen(
    "A visitor's first landing of all, once. Concluded from its first landing_view where nobody has sent it.",
    {},
  ),
  cta_click: seen(
    'A call to action was clicked, such as "Get started".',
    {
      cta: text.describe('Which one'),
      time_on_landing_before_cta: seconds.optional(),
      time_to_first_cta_click: seconds.optional(),
    },
    { aliases: ['cta_clicked'], stage: 'Acq' },
  ),
  pricing_view: seen(
    'The pricing page was viewed.',
    { pricing_time_spent: seconds.optional() },
    { aliases: ['pricing_viewed'], sinks: { meta: { event: 'ViewContent' } } },
  ),
  faq_expand: seen(
    'A question of the FAQ was opened.',
    {
      faq_topic: text,
      faq_opened_topics: z.array(z.string()).optional().describe('All that were opened so far'),
    },
    { aliases: ['faq_expanded'] },
  ),
  signup_page_viewed: seen('The page to sign up on was viewed.', {}, { aliases: ['signup_page_view'] }),
};
