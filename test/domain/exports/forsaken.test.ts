import { afterAll, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { recordHeartbeat } from '../../../src/domain/exports/workers.ts';
import {
  acceptAndStart,
  createOrganization,
  createUser,
  minutes,
  noon,
  openTestDatabase,
  slots,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const later = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);

const startAt = async (given: { seenAt: Date | null }) => {
  const who = await createUser(db, await createOrganization(db));
  const { row } = await acceptAndStart(db, who);
  const id = newId();
  await db.updateTable('export').set({ worker_id: id }).where('id', '=', row.id).execute();
  if (given.seenAt !== null) await recordHeartbeat(db, { id, host: 'a', pid: 1 }, slots(1), given.seenAt);
  return row;
};
const cancel = async (row: { organization_id: string; id: string }, at: Date) =>
  (await db.transaction().execute((tx) => requestCancel(tx, row.organization_id, row.id, at))).status;

test('a cancel ends what a worker held that has been silent for long, such as one of a mode that is gone', async () => {
  expect(await cancel(await startAt({ seenAt: later(0) }), later(minutes(10)))).toBe('canceled');
  expect(await cancel(await startAt({ seenAt: null }), later(minutes(10)))).toBe('canceled');
});

test('a cancel only marks what a living worker holds, or one that may have been taken over just now', async () => {
  expect(await cancel(await startAt({ seenAt: later(minutes(9.9)) }), later(minutes(10)))).toBe('started');
  expect(await cancel(await startAt({ seenAt: null }), later(minutes(1)))).toBe('started');
});
