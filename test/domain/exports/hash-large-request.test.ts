import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashLargeRequest, hashRequest } from '../../../src/domain/exports/idempotency.ts';

test('the hash of a large request is that of any other, and pauses after each element', async () => {
  const value = fc.jsonValue();
  const body = fc.record(
    { userId: value, b: fc.constant(undefined), variants: fc.array(value), sizes: fc.array(value) },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(body, async (given) => {
      let pauses = 0;
      const hash = await hashLargeRequest(given, async () => {
        pauses += 1;
      });
      expect(hash).toBe(hashRequest(given));
      expect(pauses).toBeGreaterThanOrEqual((given.variants?.length ?? 0) + (given.sizes?.length ?? 0));
    }),
  );
});
