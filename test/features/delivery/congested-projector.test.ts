import { sql } from 'kysely';
import { afterAll, expect, test, vi } from 'vitest';
import { createProjector } from '../../../src/features/delivery/project-log.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { openTestDatabase } from '../../support/factories.ts';
import { addSink, writeEvents } from './delivery-scene.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

test('an event that has to wait for a lock beyond the time-out of statements keeps what is derived of it', async () => {
  const clock = { now: () => new Date() };
  const log = createLogger({ level: 'silent' });
  // Of an event that goes on without what is derived of it, this is told.
  const givenUp = vi.spyOn(log, 'error');
  await addSink(db, { id: 'a', shards: 1 }, clock.now());
  await writeEvents(db, 'o', [{ name: 'processing_completed', entity: 'x', userId: 'u' }], clock.now());
  const hurried = openDatabase({ url: database.url, log, statementTimeoutMs: 200 });
  const projector = createProjector({ db: hurried.db, clock, log });
  await db.transaction().execute(async (tx) => {
    await sql`SELECT FROM delivery_shard WHERE sink_id = 'a' FOR UPDATE`.execute(tx);
    // 0 as long as another database of the server holds up the log.
    await expect.poll(() => projector.next().catch((error) => error)).toMatchObject({ code: '57014' });
  });
  expect(givenUp).not.toHaveBeenCalled();
  await expect.poll(() => projector.next()).toBe(1);
  await hurried.close();
  const { rows } = await sql<{ derived: unknown }>`SELECT derived FROM domain_event`.execute(db);
  expect(rows).toMatchObject([{ derived: { org_use_index: 1 } }]);
});
