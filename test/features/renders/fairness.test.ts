/** With 10,000 renders of one organization waiting, on the real queues: what another's single one waits for. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { completeExport } from '../../../src/domain/exports/complete-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { startExport } from '../../../src/domain/exports/start-export.ts';
import { recordHeartbeat } from '../../../src/domain/exports/workers.ts';
import { startFeeder } from '../../../src/features/renders/feeder.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import type { JobHandler } from '../../../src/platform/queue/contract.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';
import {
  accept,
  aFile,
  createOrganization,
  createUser,
  openTestDatabase,
  silentLog,
  slots,
} from '../../support/factories.ts';
import { startTestRedis } from '../../support/redis.ts';

const waiting = 10_000;
const workerSlots = 2;
/** Far longer than the feeder's and the queue's own way takes on a busy machine. */
const renderMs = 1_500;
const batchPriority = 10;

const redis = await startTestRedis();
afterAll(() => redis?.remove());

const openScene = async (kind: 'redis' | 'postgres') => {
  const { db, url, close } = await openTestDatabase();
  const listener = await openListener(url, silentLog);
  const queue = await openJobQueue({
    name: 'render-queue',
    backend: kind === 'redis' ? { kind, url: redis?.url ?? '' } : { kind, url },
    log: silentLog,
  });
  const workerId = newId();
  /** Exports, in the order in which their renders began. */
  const begun: string[] = [];
  const render: JobHandler = async ({ data }) => {
    const job = { exportId: String(data.exportId), epoch: Number(data.epoch), workerId };
    const started = await db.transaction().execute((tx) => startExport(tx, job, new Date()));
    if (started.type === 'stale') return;
    begun.push(started.export.id);
    await delay(renderMs);
    const file = aFile({ storageKey: `${started.export.id}.png` });
    await db.transaction().execute((tx) => completeExport(tx, started.fence, file, new Date()));
  };
  await recordHeartbeat(db, { id: workerId, host: 'a', pid: 1 }, slots(workerSlots));
  const beating = setInterval(
    () => void recordHeartbeat(db, { id: workerId, host: 'a', pid: 1 }, slots(workerSlots)),
    2_000,
  );
  const feeder = startFeeder({ db, queue, mode: 'local', listener, clock: systemClock, log: silentLog });
  const worker = await queue.startWorker(workerSlots, render);
  const newUser = async () => createUser(db, await createOrganization(db), { tier: 'unlimited' });
  /** As many waiting exports as a busy customer has, in one statement. */
  const fill = async (who: Metered, priority: number): Promise<void> => {
    const { id: _id, created_at: _at, ...first } = await accept(db, who, { priority }, new Date());
    const names = sql.join(Object.keys(first).map((column) => sql.ref(column)));
    await sql`INSERT INTO export (id, created_at, ${names})
      SELECT gen_random_uuid(), created_at + n * interval '1 microsecond', ${names}
      FROM export, generate_series(1, ${waiting - 1}) AS n WHERE organization_id = ${who.organizationId}`.execute(
      db,
    );
  };
  const end = async () => {
    clearInterval(beating);
    await feeder.stop();
    await worker.close(10_000);
    await queue.close();
    await listener.close();
    await close();
  };
  return { db, begun, newUser, fill, end };
};

const legs = [
  ['postgres', true],
  ['redis', redis !== null],
] as const;

describe.each(legs)('on %s', (kind, isThere) => {
  test.skipIf(!isThere)(
    `behind ${waiting} of one organization another's single render takes the next free slot`,
    async () => {
      const { db, begun, newUser, fill, end } = await openScene(kind);
      try {
        const [busy, small] = [await newUser(), await newUser()];
        await fill(busy, 0);
        await expect.poll(() => begun.length, { timeout: 30_000 }).toBeGreaterThan(workerSlots);
        const before = begun.length;
        const single = await accept(db, small, {}, new Date());
        await expect.poll(() => begun, { timeout: 30_000 }).toContain(single.id);
        // Of those that began meanwhile at most the other slot's next: what lay in the queue before it has waited.
        expect(begun.slice(before).indexOf(single.id)).toBeLessThan(workerSlots);
      } finally {
        await end();
      }
    },
    120_000,
  );

  test.skipIf(!isThere)(
    'what somebody waits for goes before all that belongs to batches of the same organization',
    async () => {
      const { db, begun, newUser, fill, end } = await openScene(kind);
      try {
        const who = await newUser();
        await fill(who, batchPriority);
        await expect.poll(() => begun.length, { timeout: 30_000 }).toBeGreaterThan(workerSlots);
        const urgent = await accept(db, who, { priority: 0 }, new Date());
        // What began before it was accepted did not go before it.
        const before = begun.length;
        await expect.poll(() => begun, { timeout: 30_000 }).toContain(urgent.id);
        expect(begun.slice(before).indexOf(urgent.id)).toBeLessThan(workerSlots);
      } finally {
        await end();
      }
    },
    120_000,
  );
});
