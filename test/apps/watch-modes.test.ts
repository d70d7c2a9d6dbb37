/** The loop that looks for exports without a worker: it does not wait where a round left something. */
import { afterAll, test, vi } from 'vitest';
import { startWatchingModes } from '../../src/apps/watch-modes.ts';
import { watchGapMs, watchModes } from '../../src/domain/exports/unserved.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import { acceptBatch, squares } from '../support/batches.ts';
import {
  createOrganization,
  createTestClock,
  createUser,
  openTestDatabase,
  registerCompositions,
  silentLog,
} from '../support/factories.ts';
import { eventually } from '../support/scene.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

test('a round that left something is followed by the next one at once', async () => {
  const clock = createTestClock();
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId);
  const who = await createUser(db, organizationId);
  const { id } = await acceptBatch(
    db,
    who,
    { variants: 3, sizes: squares(1), renderMode: 'lambda' },
    clock.now(),
  );
  await watchModes(db, clock.now());
  clock.advance(watchGapMs);
  // Nothing but the loop itself wakes it.
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const lifecycle = createLifecycle({ log: silentLog, deadlineMs: 10_000 });
  startWatchingModes({
    config: loadConfig({ UNSERVED_TIMEOUT_SECONDS: '60' }),
    db,
    clock,
    log: silentLog,
    lifecycle,
  });
  await eventually(
    () => db.selectFrom('batch_run').selectAll().where('batch_id', '=', id).executeTakeFirstOrThrow(),
    ({ status, failed }) => status === 'failed' && failed === 3,
    { what: 'the end of a campaign that the first round only made exports of' },
  );
  await lifecycle.stop('the test ends');
  vi.useRealTimers();
});
