/** What people paid for. Money is told by a server: only what a page alone knows may come from a browser. Source: the event catalog document, section 2 D. */
import { z } from 'zod';
import { defineEvent, defineFamily, type EventDefinition } from './define-event.ts';
import { count, creditFacts, flag, text } from './properties.ts';

export const orderFacts = {
  order_id: text,
  sku: text,
  plan: text,
  billing_period: z.enum(['monthly', 'yearly', 'one-time']).optional(),
  price: z.number().optional().describe('In units of the currency, not in its cents'),
  currency: text.describe('ISO 4217, such as USD'),
  credits_added: z.number().optional(),
  coupon: z.string().nullable().optional(),
  payment_provider: text.describe('Such as stripe'),
  is_trial: flag,
  ltv_to_date: z.number().optional().describe('What the user has paid so far, in units of the currency'),
};

const money = defineFamily(
  { family: 'monetization', retention: 'business', sources: ['server'] },
  orderFacts,
);

const view = defineFamily(
  { family: 'monetization', retention: 'behaviour', sources: ['web', 'server'] },
  orderFacts,
);

const ourMoney = {
  family: 'monetization',
  schemaVersion: 1,
  retention: 'business',
  sources: ['server'],
} as const satisfies Partial<EventDefinition>;

export const monetizationEvents = {
  paywall_view: view('A paywall was shown.', {}, { aliases: ['paywall_viewed'] }),
  checkout_started: money(
    'A checkout began.',
    { credits_balance_at_checkout: z.number().optional() },
    {
      aliases: ['signup_checkout_started'],
      countsUse: true,
      stage: 'Rev',
      sinks: { meta: { event: 'InitiateCheckout' } },
    },
  ),
  checkout_step: view('A step of a checkout was reached.', { step: text }),
  purchase_completed: money(
    'Credits or a subscription were paid for.',
    {},
    { countsUse: true, stage: 'Rev', northStar: 'Monetized', sinks: { meta: { event: 'Purchase' } } },
  ),
  subscription_started: money('A subscription began.', {}),
  subscription_renewed: money('A subscription was renewed.', {}),
  subscription_canceled: money(
    'A user canceled a subscription.',
    { reason: text },
    { aliases: ['subscription_cancelled'] },
  ),
  topup_purchased: defineEvent({
    ...ourMoney,
    description: 'A pack of credits was bought.',
    aliases: ['top_up_purchased'],
    properties: z.object({ ...orderFacts, ...creditFacts }),
    emitted: z.object({ ...orderFacts, ...creditFacts, credits_added: count }),
  }),
  invoice_failed: money(
    'A payment failed.',
    { failure_reason: z.string().nullable().optional(), error_code: z.string().nullable().optional() },
    { stage: 'Risk' },
  ),
  refund_issued: money('Money was given back.', { reason: text }),
  plan_changed: defineEvent({
    ...ourMoney,
    description: 'A user went to another plan, up or down.',
    properties: z.object({ ...orderFacts, from_plan: text, to_plan: text }),
    emitted: z.object({ ...orderFacts, from_plan: z.string(), to_plan: z.string() }),
  }),
};
