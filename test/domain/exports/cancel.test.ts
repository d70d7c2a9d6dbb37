import { afterAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { grantCredits } from '../../../src/domain/credits/ledger.ts';
import { finishCancel, requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { handBack } from '../../../src/domain/exports/return-export.ts';
import { startExport } from '../../../src/domain/exports/start-export.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  eventNamesOf,
  noon,
  openTestDatabase,
  outcomes,
  readExport,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const later = new Date('2026-03-10T12:00:30.000Z');
const failure = { code: 'composition_error', text: 'It threw.' } as const;
const inTransaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction().execute(work);
const newUser = async () => createUser(db, await createOrganization(db));

describe('a cancel', () => {
  const cancel = (organizationId: string, id: string) =>
    inTransaction((tx) => requestCancel(tx, organizationId, id, later));

  test('of a queued export ends it at once and gives everything back', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'credits' });
    await inTransaction((tx) => grantCredits(tx, who, { amount: 1, now }));
    const row = await accept(db, who);
    expect(await cancel(who.organizationId, row.id)).toMatchObject({
      status: 'canceled',
      canceled_at: later,
    });
    expect(await eventNamesOf(db, who.organizationId)).toEqual([
      'job_created',
      'job_canceled',
      'job_refunded',
    ]);
  });

  test('of a started export marks it; its holder ends it', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    expect(await cancel(who.organizationId, row.id)).toMatchObject({
      status: 'started',
      cancel_requested_at: later,
    });
    expect(await inTransaction((tx) => finishCancel(tx, fence, later))).toMatchObject({ status: 'canceled' });
    expect((await eventNamesOf(db, who.organizationId)).at(-1)).toBe('job_canceled');
  });

  test('of a started export whose worker died is done by the one that takes it over', async () => {
    const who = await newUser();
    const { row } = await acceptAndStart(db, who);
    await cancel(who.organizationId, row.id);
    const job = { exportId: row.id, epoch: row.epoch, workerId: newId() };
    expect(await inTransaction((tx) => startExport(tx, job, later))).toEqual({ type: 'stale' });
    expect(await readExport(db, row.id)).toMatchObject({ status: 'canceled', attempt: 1 });
  });

  test('asked for again after its worker handed the export back ends it there and then: nobody holds it', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await cancel(who.organizationId, row.id);
    await inTransaction((tx) => handBack(tx, fence, later));
    expect(await cancel(who.organizationId, row.id)).toMatchObject({ status: 'canceled' });
  });

  test('twice is the same as once', async () => {
    const who = await newUser();
    const row = await accept(db, who);
    await cancel(who.organizationId, row.id);
    expect(await cancel(who.organizationId, row.id)).toMatchObject({ status: 'canceled' });
    expect(await eventNamesOf(db, who.organizationId)).toEqual(['job_created', 'job_canceled']);
  });

  test('of a completed or failed export is refused, since there is nothing left to cancel', async () => {
    const who = await newUser();
    const done = await acceptAndStart(db, who);
    await complete(db, done.fence);
    const failed = await acceptAndStart(db, who);
    await inTransaction((tx) => failExport(tx, failed.fence, failure, now));
    for (const { row } of [done, failed]) {
      await expect(cancel(who.organizationId, row.id)).rejects.toMatchObject({ code: 'export_finished' });
    }
  });

  test("of another organization's export, or of none, finds nothing", async () => {
    const row = await accept(db, await newUser());
    const other = await createOrganization(db);
    await expect(cancel(other, row.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancel(row.organization_id, newId())).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancel(row.organization_id, '../1')).rejects.toMatchObject({ code: 'not_found' });
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued' });
  });

  test('that was asked for before the render came to its end is kept: nothing is charged', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await cancel(who.organizationId, row.id);
    expect(await complete(db, fence)).toMatchObject({ status: 'canceled' });
    const names = await eventNamesOf(db, who.organizationId);
    expect(names.at(-1)).toBe('job_canceled');
    expect(names).not.toContain('video_rendered');
  });

  test('and a completion at once end in exactly one of the two', async () => {
    const who = await newUser();
    for (const _round of times(5, (index) => index)) {
      const { row, fence } = await acceptAndStart(db, who);
      await cancel(who.organizationId, row.id);
      const { fulfilled } = await outcomes([
        complete(db, fence),
        inTransaction((tx) => finishCancel(tx, fence, later)),
      ]);
      expect(fulfilled).toHaveLength(1);
      expect((await readExport(db, row.id)).status).toBe(fulfilled[0]?.status);
    }
  });
});
