import { z } from 'zod';
import { type CreditMove, grantCredits } from '../../domain/credits/ledger.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Tx } from '../../platform/db/client.ts';

const name = z.string().min(1).max(200).optional();

/** What a top-up was paid with; kept in its event. */
const orderFields = {
  order_id: name.describe("Of the tenant's own system"),
  sku: name,
  price: z.number().min(0).max(1e12).optional().describe('In units of the currency, not in its cents'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters, such as USD')
    .optional()
    .describe('ISO 4217'),
  payment_provider: name.describe('Such as stripe'),
  coupon: name,
};
const orderNames = Object.keys(orderFields) as (keyof typeof orderFields)[];

export const givenCreditsSchema = z
  .strictObject({
    amount: z.int().min(1).max(1_000_000),
    kind: z.enum(['grant', 'top_up']).default('grant'),
    reason: z.string().max(500).optional(),
    ...orderFields,
  })
  .superRefine((given, context) => {
    if (given.kind === 'top_up') return;
    for (const field of orderNames) {
      if (given[field] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [field],
        message: 'is for a top_up: a grant is not paid for',
      });
    }
  });
export type GivenCredits = z.infer<typeof givenCreditsSchema>;

export interface CreditsReceiver {
  readonly organizationId: string;
  readonly userId: string;
  readonly correlationId: string;
}

/** Adds to the balance, and records `credits_granted` or, for what was paid for, `topup_purchased`. */
export const giveCredits = async (
  tx: Tx,
  to: CreditsReceiver,
  given: GivenCredits,
  now: Date,
): Promise<CreditMove> => {
  const { amount, kind, reason } = given;
  const move = await grantCredits(tx, to, { amount, kind, now, ...(reason === undefined ? {} : { reason }) });
  const envelope = {
    organizationId: to.organizationId,
    userId: to.userId,
    source: 'server',
    occurredAt: now,
    entity: { type: 'user', id: to.userId },
    correlationId: to.correlationId,
  } as const;
  const credits = { credits_added: amount, credits_before: move.before, credits_after: move.after };
  if (kind === 'grant') {
    const why = reason === undefined ? {} : { reason };
    await emit(tx, { name: 'credits_granted', ...envelope, properties: { ...credits, ...why } });
  } else {
    await emit(tx, { name: 'topup_purchased', ...envelope, properties: { ...orderOf(given), ...credits } });
  }
  return move;
};

const orderOf = (given: GivenCredits) =>
  Object.fromEntries(
    orderNames.flatMap((field) => (given[field] === undefined ? [] : [[field, given[field]]])),
  );
