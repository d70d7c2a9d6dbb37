import { afterAll, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import {
  acceptAndStart,
  beatOnce,
  createOrganization,
  createUser,
  minutes,
  moveHeartbeat,
  noon,
  openTestDatabase,
  slots,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const later = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);

const startAt = async (given: { silentMs: number | null }) => {
  const who = await createUser(db, await createOrganization(db));
  const { row } = await acceptAndStart(db, who);
  const id = newId();
  await db.updateTable('export').set({ worker_id: id }).where('id', '=', row.id).execute();
  if (given.silentMs !== null) {
    await beatOnce(db, slots(1), id);
    await moveHeartbeat(db, id, -given.silentMs);
  }
  return row;
};
const cancel = async (row: { organization_id: string; id: string }, at: Date) =>
  (await db.transaction().execute((tx) => requestCancel(tx, row.organization_id, row.id, at))).status;

test('a cancel ends what a worker held that has been silent for long, such as one of a mode that is gone', async () => {
  expect(await cancel(await startAt({ silentMs: minutes(10) }), later(minutes(10)))).toBe('canceled');
  expect(await cancel(await startAt({ silentMs: null }), later(minutes(10)))).toBe('canceled');
});

test('a cancel only marks what a living worker holds, or one that may have been taken over just now', async () => {
  expect(await cancel(await startAt({ silentMs: minutes(0.1) }), later(minutes(10)))).toBe('started');
  expect(await cancel(await startAt({ silentMs: null }), later(minutes(1)))).toBe('started');
});
