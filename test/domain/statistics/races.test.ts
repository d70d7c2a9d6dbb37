import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { acceptExport } from '../../../src/domain/exports/accept-export.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { foldDeltas } from '../../../src/domain/statistics/fold-deltas.ts';
import type { StatKey } from '../../../src/domain/statistics/read-sums.ts';
import {
  accept,
  anOrder,
  complete,
  createOrganization,
  createUser,
  hours,
  openTestDatabase,
  start,
} from '../../support/factories.ts';
import { expectAllExact, expectExact, foldAll } from './exact.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

test('at every moment, in any order of acceptances, ends, rollbacks and folds at once, each answer equals a scan', async () => {
  const step = fc.record({
    user: fc.integer({ min: 1, max: 3 }),
    project: fc.integer({ min: 1, max: 2 }),
    format: fc.constantFrom('png' as const, 'jpeg' as const, 'mp4' as const),
    hour: fc.integer({ min: 0, max: 24 * 70 }),
    end: fc.constantFrom('complete', 'fail', 'cancel', 'cancel started', 'none', 'roll back'),
    bytes: fc.integer({ min: 1, max: 1e9 }),
    seconds: fc.option(fc.double({ min: 0.01, max: 100, noNaN: true })),
  });
  type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

  const live = async (one: Step, organizationId: string, users: readonly Metered[]): Promise<void> => {
    const now = new Date(Date.parse('2026-01-20T00:00:00Z') + hours(one.hour));
    const user = users[one.user - 1];
    if (user === undefined) throw new Error(`There is no user ${one.user}.`);
    const order = {
      projectId: `project-${one.project}`,
      format: one.format,
      kind: one.format === 'mp4' ? ('video' as const) : ('still' as const),
    };
    const inTx = <T>(work: Parameters<ReturnType<typeof db.transaction>['execute']>[0]) =>
      db.transaction().execute(work) as Promise<T>;
    if (one.end === 'roll back') {
      const rolled = inTx(async (tx) => {
        await acceptExport(tx, user, anOrder(order), now);
        throw new Error('rolled back');
      });
      return void (await rolled.catch(() => undefined));
    }
    const row: Export = await accept(db, user, order, now);
    if (one.end === 'none') return;
    if (one.end === 'cancel')
      return void (await inTx((tx) => requestCancel(tx, organizationId, row.id, now)));
    const fence = await start(db, row, now);
    if (one.end === 'cancel started') await inTx((tx) => requestCancel(tx, organizationId, row.id, now));
    if (one.end === 'fail')
      return void (await inTx((tx) => failExport(tx, fence, { code: 'render_failed', text: 'no' }, now)));
    await complete(db, fence, { sizeInBytes: one.bytes, durationSeconds: one.seconds }, now);
  };

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const organizationId = await createOrganization(db);
      const keyOf = (scope: StatKey['scope'], scopeId = ''): StatKey => ({ organizationId, scope, scopeId });
      const users = await Promise.all(
        [1, 2, 3].map((id) => createUser(db, organizationId, { id: `user-${id}` })),
      );
      let running = true;
      const untilDone = async (work: () => Promise<unknown>) => {
        while (running) await work();
      };
      const beside = [
        untilDone(() => foldDeltas(db)),
        untilDone(() => foldDeltas(db)),
        untilDone(() => expectExact(db, keyOf('organization'))),
        untilDone(() => expectExact(db, keyOf('user', 'user-1'))),
        untilDone(() => expectExact(db, keyOf('project', 'project-1'))),
      ];
      const watched = Promise.all(beside);
      watched.catch(() => undefined);
      try {
        await Promise.all(steps.map((one) => live(one, organizationId, users)));
      } finally {
        running = false;
      }
      await watched;
      await expectAllExact(db, organizationId, { from: '2026-02-01', until: '2026-02-20' });
      await foldAll(db, organizationId);
      await expectAllExact(db, organizationId);
      await expectAllExact(db, organizationId, { from: '2026-02-01', until: '2026-02-20' });
    }),
    // A race does not happen twice: a smaller example would not be the same failure.
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
