/** Whether a tenant can make what it wants to. Source: the domain-event document. */
import { z } from 'zod';
import { defineFamily } from './define-event.ts';
import { count, flag, foreignId } from './properties.ts';

const planning = defineFamily(
  { family: 'planning', retention: 'business', sources: ['server', 'worker'] },
  {
    recipe_id: foreignId.optional(),
    scale: z.number().optional().describe('How many times the recipe'),
    success: flag,
  },
);

export const planningEvents = {
  plan_production_requested: planning(
    'A plan for a production was asked for.',
    {
      container_id: foreignId.nullable().optional(),
      all_available: flag.describe('Whether everything that it needs is in stock'),
      issue_count: count.optional(),
    },
    { countsUse: true },
  ),
  stock_check_run: planning(
    'Stock was compared with what a recipe needs.',
    { stock_item_count: count.optional() },
    { countsUse: true },
  ),
};
