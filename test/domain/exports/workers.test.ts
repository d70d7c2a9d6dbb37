/** Which workers are alive: as the clock of the database has it, and nobody else's. */
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import {
  liveCapacity,
  recordHeartbeat,
  removeWorker,
  servedModes,
  workerGoneAfterMs,
} from '../../../src/domain/exports/workers.ts';
import { endUnservedExports } from '../../../src/features/renders/end-unserved.ts';
import {
  accept,
  beatOnce,
  createOrganization,
  createTestClock,
  createUser,
  hours,
  moveHeartbeat,
  openTestDatabase,
  readExport,
  silentLog,
  slots,
  start,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);
beforeEach(() => db.deleteFrom('worker').execute());

describe('the capacity', () => {
  test('is the sum of the workers that were heard of, and the silent ones are gone', async () => {
    expect(await liveCapacity(db)).toBe(0);
    const [one, two] = [await beatOnce(db, slots(2)), await beatOnce(db, slots(3))];
    expect(await liveCapacity(db)).toBe(5);
    await moveHeartbeat(db, one, -workerGoneAfterMs);
    expect(await liveCapacity(db)).toBe(3);
    await beatOnce(db, slots(0), one);
    expect(await liveCapacity(db)).toBe(3);
    await removeWorker(db, two);
    expect(await liveCapacity(db)).toBe(0);
  });

  test('of a worker that stops is gone at once, and what died a day ago is forgotten', async () => {
    const dead = await beatOnce(db, slots(1));
    await moveHeartbeat(db, dead, -hours(25));
    const silent = await beatOnce(db, slots(1));
    await moveHeartbeat(db, silent, -hours(1));
    await removeWorker(db, newId());
    expect(await db.selectFrom('worker').select('id').execute()).toEqual([{ id: silent }]);
  });
});

describe.each([
  { whose: 'an hour ahead', skewMs: hours(1) },
  { whose: 'an hour behind', skewMs: -hours(1) },
])('somebody whose clock is $whose', ({ skewMs }) => {
  const databaseNow = async () => {
    const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
    return rows[0]?.now ?? new Date();
  };
  const skewedClock = async () =>
    createTestClock(new Date((await databaseNow()).getTime() + skewMs).toISOString());
  const newUser = async () => createUser(db, await createOrganization(db));

  test('hears of a worker that beats, and ends nothing that waits for it', async () => {
    await recordHeartbeat(db, { id: newId(), host: 'a', pid: 1 }, slots(1));
    // A slow machine may take longer than a worker may be silent.
    await db.updateTable('worker').set({ seen_at: sql<Date>`seen_at + interval '10 minutes'` }).execute();
    expect(await servedModes(db)).toEqual(new Set(['local']));
    const clock = await skewedClock();
    const row = await accept(db, await newUser(), {}, clock.now());
    const look = () =>
      endUnservedExports({
        db,
        clock,
        log: silentLog,
        timeoutSeconds: 60,
        fallsBack: false,
        turns: new Map(),
      });
    await look();
    clock.advance(61_000);
    await look();
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued' });
  });

  test('cancels by a mark what a worker holds that beats', async () => {
    const clock = await skewedClock();
    const row = await accept(db, await newUser(), {}, clock.now());
    await start(db, row, clock.now());
    const id = await beatOnce(db, slots(1));
    await db.updateTable('export').set({ worker_id: id }).where('id', '=', row.id).execute();
    clock.advance(hours(1));
    const cancel = db
      .transaction()
      .execute((tx) => requestCancel(tx, row.organization_id, row.id, clock.now()));
    expect(await cancel).toMatchObject({ status: 'started' });
  });
});
