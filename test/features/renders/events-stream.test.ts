import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { saveProgress } from '../../../src/domain/exports/save-progress.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { accept, complete, createUser, noon, start } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let who: Metered;
beforeEach(async () => {
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId);
});

const open = (id: string, headers: Record<string, string> = {}) =>
  openEventStream(api, `/api/render/${id}/events`, { key: tenant.key, headers });

const progress = (percent: number) => ({
  stage: 'rendering',
  percent,
  renderedFrames: percent,
  totalFrames: 100,
  timeLeftMs: null,
});
const now = new Date(noon);

describe('the stream of an export', () => {
  test('tells each state as it comes, and the progress between, and ends', async () => {
    const row = await accept(api.db, who);
    const stream = await open(row.id);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.response.headers.get('cache-control')).toBe('no-store');
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    expect(await stream.next()).toMatchObject({ event: 'status', data: { status: 'queued', at: noon } });

    const fence = await start(api.db, row);
    expect(await stream.next()).toMatchObject({ event: 'status', data: { status: 'started', attempt: 1 } });
    await saveProgress(api.db, fence, progress(10), now);
    expect(await stream.next()).toEqual({ event: 'progress', id: undefined, data: progress(10) });
    await saveProgress(api.db, fence, progress(60), now);
    expect(await stream.next()).toMatchObject({ event: 'progress', data: progress(60) });

    await complete(api.db, fence);
    const rest = await stream.rest();
    expect(rest).toMatchObject([{ event: 'status', data: { status: 'completed' } }]);
  });

  test('of one that has ended tells all of it at once', async () => {
    const row = await accept(api.db, who);
    await complete(api.db, await start(api.db, row));
    const frames = await (await open(row.id)).rest();
    expect(frames.map((frame) => frame.data.status)).toEqual(['queued', 'started', 'completed']);
    const ids = frames.map((frame) => Number(frame.id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(3);
  });

  test('says why it failed', async () => {
    const row = await accept(api.db, who);
    const fence = await start(api.db, row);
    const reason = { code: 'browser_lost', text: 'The browser was lost.' } as const;
    await api.db.transaction().execute((tx) => failExport(tx, fence, reason, now));
    expect((await (await open(row.id)).rest()).at(-1)?.data).toMatchObject({
      status: 'failed',
      error: { code: 'browser_lost', message: 'The browser was lost.' },
    });
  });

  test('says that it was canceled', async () => {
    const row = await accept(api.db, who);
    const stream = await open(row.id);
    await stream.next();
    await api.db.transaction().execute((tx) => requestCancel(tx, tenant.organizationId, row.id, now));
    expect((await stream.rest()).map((frame) => frame.data.status)).toEqual(['canceled']);
  });

  test('goes on after the last event that the reader has seen', async () => {
    const row = await accept(api.db, who);
    const first = await open(row.id);
    const seen = await first.next();
    first.leave();
    const fence = await start(api.db, row);
    const second = await open(row.id, { 'last-event-id': seen?.id ?? '' });
    expect(await second.next()).toMatchObject({ data: { status: 'started' } });
    await complete(api.db, fence);
    expect((await second.rest()).map((frame) => frame.data.status)).toEqual(['completed']);
  });

  test('has nothing more for a reader that has seen the end', async () => {
    const row = await accept(api.db, who);
    await complete(api.db, await start(api.db, row));
    const all = await (await open(row.id)).rest();
    expect(await (await open(row.id, { 'last-event-id': all.at(-1)?.id ?? '' })).rest()).toEqual([]);
  });

  test('tells ten readers the same', async () => {
    const row = await accept(api.db, who);
    const streams = await Promise.all(Array.from({ length: 10 }, () => open(row.id)));
    await complete(api.db, await start(api.db, row));
    for (const stream of streams) {
      const statuses = (await stream.rest())
        .filter((frame) => frame.event === 'status')
        .map((frame) => frame.data.status);
      expect(statuses).toEqual(['queued', 'started', 'completed']);
    }
  });

  test('lets go of its reader when that leaves', async () => {
    const row = await accept(api.db, who);
    const stream = await open(row.id);
    await stream.next();
    stream.leave();
    await complete(api.db, await start(api.db, row));
    expect((await api.call(`/api/render/${row.id}`, { key: tenant.key })).status).toBe(200);
  });

  test.each(['abc', '-1', '1; DROP TABLE export', '9'.repeat(30)])(
    'refuses Last-Event-ID: %s',
    async (id) => {
      const row = await accept(api.db, who);
      const response = await api.call(`/api/render/${row.id}/events`, {
        key: tenant.key,
        headers: { 'last-event-id': id },
      });
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );
});

test('readers that leave at any moment leave no listener behind', async () => {
  const row = await accept(api.db, who);
  const visits = Array.from({ length: 60 }, async (_, index) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `GET /api/render/${row.id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\n\r\n`,
    );
    await delay(index);
    socket.destroy();
  });
  await Promise.all(visits);
  await expect.poll(api.listening, { timeout: 10_000 }).toBe(0);
});
