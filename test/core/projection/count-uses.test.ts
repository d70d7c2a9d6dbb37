import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProjectedEvent } from '../../../src/core/projection/projected-event.ts';
import { anEvent, createProjector, derivedOf } from './play.ts';

const uses = (...events: readonly ProjectedEvent[]) =>
  derivedOf(...events).map((values) => [values.user_use_index, values.org_use_index]);

describe('uses', () => {
  test('are counted from 1, per user and per organization, each event for itself', () => {
    const seen = uses(
      anEvent('job_created'),
      anEvent('job_created', { userId: 'other' }),
      anEvent('job_created'),
      anEvent('upload_started'),
      anEvent('job_created', { organizationId: 'elsewhere' }),
    );
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
      [2, 3],
      [1, 1],
      [1, 1],
    ]);
  });

  test('are flagged as first and second', () => {
    const flags = derivedOf(...Array.from({ length: 3 }, () => anEvent('job_created'))).map((values) => [
      values.is_first_user_use,
      values.is_second_user_use,
      values.is_first_org_use,
      values.is_second_org_use,
    ]);
    expect(flags).toEqual([
      [true, false, true, false],
      [false, true, false, true],
      [false, false, false, false],
    ]);
  });

  test('of somebody unknown count for the organization only', () => {
    const [values] = derivedOf(anEvent('upload_started', { userId: null, distinctId: 'v', source: 'web' }));
    expect(values).toMatchObject({ org_use_index: 1, is_first_org_use: true });
    expect(values).not.toHaveProperty('user_use_index');
  });

  test('of what the catalog does not count, or does not know, are not counted', () => {
    for (const name of ['landing_view', 'a_tenants_own', '__proto__', 'constructor'])
      expect(derivedOf(anEvent(name))[0]).toEqual({});
  });

  test('cannot be moved from one tenant to another by ids that look like two', () => {
    const seen = uses(
      anEvent('job_created', { organizationId: 'a', userId: 'b' }),
      anEvent('job_created', { organizationId: 'a/b', userId: '' }),
      anEvent('job_created', { organizationId: 'a', userId: '__proto__' }),
      anEvent('job_created', { organizationId: '__proto__', userId: 'a' }),
      anEvent('job_created', { organizationId: 'x', userId: 'job_createdy' }),
      anEvent('job_created', { organizationId: 'xjob_created', userId: 'y' }),
    );
    expect(seen).toEqual([
      [1, 1],
      [undefined, 1],
      [1, 2],
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test('are the same however the log is cut into pages', () => {
    const step = fc.record({
      organizationId: fc.constantFrom('a', 'b'),
      userId: fc.constantFrom('u', 'v', null),
      event: fc.constantFrom('job_created', 'upload_started', 'landing_view'),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (steps, sizes) => {
          const projector = createProjector();
          const events = steps.map(({ event, ...who }) => anEvent(event, who));
          const naive = new Map<string, number>();
          const count = (key: string): number => {
            naive.set(key, (naive.get(key) ?? 0) + 1);
            return naive.get(key) ?? 0;
          };
          let from = 0;
          while (from < events.length) {
            const page = events.slice(from, from + (sizes.next().value ?? 1));
            const { derived } = projector.project(page);
            for (const { position, event, organizationId, userId } of page) {
              const values = derived.get(position) ?? {};
              const isCounted = event !== 'landing_view';
              expect(values.org_use_index).toBe(isCounted ? count(`${organizationId} ${event}`) : undefined);
              expect(values.user_use_index).toBe(
                isCounted && userId !== null ? count(`${organizationId} ${event} ${userId}`) : undefined,
              );
            }
            from += page.length;
          }
        },
      ),
    );
  });
});
