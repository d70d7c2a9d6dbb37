/** Billing beside the money itself. Source: the domain-event document. */
import { defineFamily } from './define-event.ts';
import { orderFacts } from './monetization.ts';

const billing = defineFamily({ family: 'billing', retention: 'business', sources: ['server'] }, orderFacts);

export const billingEvents = {
  // No alias of purchase_completed: who sends both for one purchase would have paid twice.
  signup_checkout_completed: billing(
    'The checkout that belongs to a sign-up came to its end; purchase_completed tells of the money.',
    {},
    { countsUse: true },
  ),
};
