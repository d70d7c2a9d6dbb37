import { beforeEach, describe, expect, test } from 'vitest';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { createPollCounter } from '../../../src/features/renders/count-polls.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { createTenant, openTestApi, type Tenant } from '../../support/api.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createUser,
  eventsOf,
  readExport,
  silentLog,
  times,
} from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let who: Metered;
beforeEach(async () => {
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId);
});

const poll = (id: string, key = tenant.key) => api.call(`/api/render/${id}`, { key });
const pollsOf = async (id: string) => (await readExport(api.db, id)).status_polls;
const expectPolls = (id: string, polls: number) =>
  expect.poll(() => pollsOf(id), { timeout: 5_000 }).toBe(polls);

describe('asking how a render stands', () => {
  test('is counted, by request and by event stream, and processing_completed tells how often', async () => {
    const { row, fence } = await acceptAndStart(api.db, who);
    await Promise.all(times(7, () => poll(row.id)));
    const leave = new AbortController();
    const stream = await api.call(`/api/render/${row.id}/events`, { key: tenant.key, signal: leave.signal });
    expect(stream.status).toBe(200);
    await expectPolls(row.id, 8);
    leave.abort();
    await complete(api.db, fence);
    const completed = (await eventsOf(api.db, tenant.organizationId)).find(
      (event) => event.event_name === 'processing_completed',
    );
    expect(completed?.properties).toMatchObject({ status_poll_count: 8, retry_count: 0 });
  });

  test('of several renders is written together, and goes on being counted', async () => {
    const rows = await Promise.all(times(3, () => accept(api.db, who)));
    for (const [index, row] of rows.entries()) await Promise.all(times(index + 1, () => poll(row.id)));
    await Promise.all(rows.map((row, index) => expectPolls(row.id, index + 1)));
    const [first] = rows;
    await poll(first?.id ?? '');
    await expectPolls(first?.id ?? '', 2);
  });

  test('by another tenant is 404 and counts nothing, nor does asking after the end', async () => {
    const other = await createTenant(api);
    const [row, control] = [await accept(api.db, who), await accept(api.db, who)];
    expect((await poll(row.id, other.key)).status).toBe(404);
    expect((await api.call(`/api/render/${row.id}/events`, { key: other.key })).status).toBe(404);
    const ended = await acceptAndStart(api.db, who);
    await complete(api.db, ended.fence);
    expect((await poll(ended.row.id)).status).toBe(200);
    await poll(control.id);
    // Written in the same statement as those of the others would be.
    await expectPolls(control.id, 1);
    expect([await pollsOf(row.id), await pollsOf(ended.row.id)]).toEqual([0, 0]);
  });
});

describe('the counter', () => {
  test('writes what it has when it stops', async () => {
    const row = await accept(api.db, who);
    const counter = createPollCounter({ db: api.db, log: silentLog });
    for (const _poll of times(3, () => 0)) counter.count(row);
    await counter.stop();
    expect(await pollsOf(row.id)).toBe(3);
  });

  test('without a database fails nobody', async () => {
    const row = await accept(api.db, who);
    const { db, close } = openDatabase({ url: api.databaseUrl, log: silentLog });
    await close();
    const counter = createPollCounter({ db, log: silentLog });
    counter.count(row);
    await expect(counter.stop()).resolves.toBeUndefined();
  });
});
