import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { createUser, times } from '../../support/factories.ts';
import { cellsIn, completeCell, planAll, renderAll, request, startCell } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
  await createUser(api.db, tenant.organizationId);
});

const open = (id: string, headers: Record<string, string> = {}) =>
  openEventStream(api, `/api/campaigns/${id}/events`, { key: tenant.key, headers });

describe('the stream of a campaign', () => {
  test('begins with where it stands, tells what comes, and ends after the close', async () => {
    const id = await request(api, tenant);
    const stream = await open(id);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await stream.next()).toMatchObject({ event: 'status', id: '1-accepted', data: { run: 1 } });
    expect(await stream.next()).toMatchObject({ event: 'progress', data: { run: 1, done: 0, total: 6 } });
    await planAll(api);
    const [first] = await cellsIn(api, id);
    if (!first) throw new Error('no cell');
    const fence = await startCell(api, first);
    expect(await stream.next()).toMatchObject({ event: 'status', data: { status: 'running' } });
    await completeCell(api, first, fence);
    expect(await stream.next()).toMatchObject({ event: 'progress', data: { done: 1, succeeded: 1 } });
    await renderAll(api, id, (_row, index) => index === 0);
    const rest = await stream.rest();
    expect(rest.at(-2)).toMatchObject({
      event: 'progress',
      data: { done: 6, total: 6, succeeded: 5, failed: 1, canceled: 0, cached: 0 },
    });
    expect(rest.at(-1)).toMatchObject({ event: 'status', id: '1-completed', data: { status: 'completed' } });
  });

  test('tells many changes at once at most four times a second, and the newest always', async () => {
    const id = await request(api, tenant, { variants: 30, sizes: 1 });
    await planAll(api);
    const stream = await open(id);
    await stream.next();
    const startedAt = performance.now();
    await renderAll(api, id);
    const frames = await stream.rest();
    const seconds = (performance.now() - startedAt) / 1000;
    const told = frames.filter((frame) => frame.event === 'progress');
    expect(told.length).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 2);
    expect(told.at(-1)?.data).toMatchObject({ done: 30 });
    expect(frames.at(-1)?.data).toMatchObject({ status: 'completed' });
  });

  test('of one whose end was seen has nothing to tell, until it is retried', async () => {
    const id = await request(api, tenant);
    await planAll(api);
    await renderAll(api, id, () => true);
    const seen = { 'last-event-id': '1-failed' };
    expect((await open(id, seen)).response.status).toBe(204);
    expect((await (await open(id)).rest()).map((frame) => frame.event)).toEqual(['progress', 'status']);
    await api.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key });
    const again = await open(id, seen);
    expect(await again.next()).toMatchObject({ id: '2-accepted' });
    again.leave();
  });

  test("of another organization's is not there", async () => {
    const id = await request(api, tenant);
    const other = await createTenant(api);
    const response = await api.call(`/api/campaigns/${id}/events`, { key: other.key });
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'not_found' });
  });
});

test('readers that leave at any moment leave no listener behind', async () => {
  const id = await request(api, tenant);
  await Promise.all(
    times(60, async (index) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `GET /api/campaigns/${id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\n\r\n`,
      );
      await delay(index);
      socket.destroy();
    }),
  );
  await expect.poll(api.listening, { timeout: 10_000 }).toBe(0);
});
