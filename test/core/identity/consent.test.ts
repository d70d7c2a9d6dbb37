import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consentOf, newerConsent, nothingStated, statedIn } from '../../../src/core/identity/consent.ts';
import { posthogPatienceMs, posthogRetryDelayMs } from '../../../src/core/identity/posthog-retry.ts';

const statement = fc
  .record({
    ads_allowed: fc.option(fc.boolean(), { nil: undefined }),
    analytics_allowed: fc.option(fc.boolean(), { nil: undefined }),
    at: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ at, ...said }) => statedIn(said, new Date(at)));

describe('consent', () => {
  test('is the same in whatever order the statements come, and however often', () => {
    fc.assert(
      fc.property(fc.array(statement), fc.array(fc.nat()), (statements, again) => {
        const repeated = again.flatMap((index) => statements[index % Math.max(statements.length, 1)] ?? []);
        const inOrder = statements.reduce(newerConsent, nothingStated);
        const shuffled = [...repeated, ...statements.toReversed()].reduce(newerConsent, nothingStated);
        expect(consentOf(shuffled)).toEqual(consentOf(inOrder));
      }),
    );
  });

  test('to one question says nothing of the other', () => {
    const both = statedIn({ ads_allowed: true, analytics_allowed: true }, new Date(1));
    const ads = statedIn({ ads_allowed: false }, new Date(2));
    expect(consentOf(newerConsent(both, ads))).toEqual({ adsAllowed: false, analyticsAllowed: true });
  });

  test('that is given and refused at the same moment is refused', () => {
    const given = statedIn({ ads_allowed: true }, new Date(1));
    const refused = statedIn({ ads_allowed: false }, new Date(1));
    expect(consentOf(newerConsent(given, refused)).adsAllowed).toBe(false);
    expect(consentOf(newerConsent(refused, given)).adsAllowed).toBe(false);
  });

  test.each(['true', 1, null, {}])('is not read from %j', (value) => {
    expect(statedIn({ ads_allowed: value }, new Date(1))).toEqual(nothingStated);
  });
});

describe('asking PostHog again', () => {
  test('takes longer each time, goes on for weeks, and ends', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => posthogRetryDelayMs(failures, 0) ?? 0);
    expect(delays).toEqual(delays.toSorted((one, other) => one - other));
    expect(delays[0]).toBe(60_000);
    expect(posthogRetryDelayMs(50, posthogPatienceMs - 1)).toBe(12 * 3_600_000);
    expect(posthogRetryDelayMs(51, posthogPatienceMs)).toBeNull();
  });
});
