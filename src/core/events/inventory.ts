/** Stock of a tenant that makes things. Source: the domain-event document. */
import { z } from 'zod';
import { defineFamily } from './define-event.ts';
import { flag, foreignId, text } from './properties.ts';

const inventory = defineFamily(
  { family: 'inventory', retention: 'business', sources: ['server', 'worker'] },
  { item_id: foreignId.optional(), item_type: text, unit: text },
);

const item = {
  initial_quantity: z.number().optional(),
  is_tracked: flag,
  global_item_id: foreignId
    .nullable()
    .optional()
    .describe('Of the common list, where it was taken from there'),
};

const counted = { countsUse: true };

export const inventoryEvents = {
  inventory_adjusted: inventory(
    'The stock of an item was changed.',
    { quantity: z.number().optional().describe('The change, negative where stock went out'), reason: text },
    counted,
  ),
  inventory_item_created: inventory(
    'An item of stock was made, of whichever kind.',
    { creation_source: z.enum(['custom', 'global']).optional(), ...item },
    counted,
  ),
  inventory_item_custom_created: inventory(
    "An item of the tenant's own was made, beside inventory_item_created.",
    { creation_source: z.literal('custom').optional(), ...item },
    counted,
  ),
  inventory_item_global_created: inventory(
    'An item was taken from the common list, beside inventory_item_created.',
    { creation_source: z.literal('global').optional(), ...item },
    counted,
  ),
};
