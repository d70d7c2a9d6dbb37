import { z } from 'zod';

/** A user's id at the tenant, or a visitor's distinct_id: as the event log takes them, see event-input.ts. */
export const personIdSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not hold control characters or half of a surrogate pair');
