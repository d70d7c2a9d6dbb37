/** Who a visitor turned out to be. */
import { z } from 'zod';
import { defineFamily } from './define-event.ts';

const identity = defineFamily({ family: 'identity', retention: 'business', sources: ['server'] }, {});

export const identityEvents = {
  identity_linked: identity(
    'A visitor turned out to be a user: what it did, before and from now on, belongs to that user.',
    {
      distinct_id: z.string().describe("The visitor's id"),
      method: z.enum(['login_success', 'identify']).describe('What told of it'),
    },
    { ownedByService: true, sinks: { posthog: '$identify' } },
  ),
};
