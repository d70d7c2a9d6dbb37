/** Renders that go on at AWS for exports which nobody renders there any more: each is ended once a worker reaches AWS. */
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { finishCancel, requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import type { Export, Fence } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { saveRemoteRender } from '../../../src/domain/exports/remote-render.ts';
import { awaitRetry, handBack, postpone } from '../../../src/domain/exports/return-export.ts';
import { maxFruitlessStarts, startExport } from '../../../src/domain/exports/start-export.ts';
import { endLeftRenders } from '../../../src/features/renders/end-left-renders.ts';
import { endUnservedExports } from '../../../src/features/renders/end-unserved.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import type { RemoteRender } from '../../../src/platform/renderer/contract.ts';
import {
  acceptAndStart,
  complete,
  createOrganization,
  createTestClock,
  createUser,
  hours,
  minutes,
  noon,
  openTestDatabase,
  readExport,
  silentLog,
  start,
  times,
} from '../../support/factories.ts';
import { eventually } from '../../support/scene.ts';

const { db, url, close } = await openTestDatabase();
const listener = await openListener(url, silentLog);
let wakes = 0;
listener.on('rendermill_lambda_end', () => {
  wakes += 1;
});
afterAll(async () => {
  await listener.close();
  await close();
});
const clock = createTestClock();
beforeEach(async () => {
  clock.set(noon);
  wakes = 0;
  await db.updateTable('export').set({ status: 'canceled', remote_render: null }).execute();
  await db.deleteFrom('render_mode_watch').execute();
});

const ask = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction().execute(work);
let renders = 0;
/** An export whose render goes on at AWS, held by a worker. */
const renderThere = async () => {
  const who = await createUser(db, await createOrganization(db));
  const started = await acceptAndStart(db, who, { renderMode: 'lambda', kind: 'video', format: 'mp4' });
  const remote: RemoteRender = {
    renderId: `render-${++renders}`,
    bucketName: 'renders',
    functionName: 'f',
    region: 'us-east-1',
    startedAt: noon,
  };
  await saveRemoteRender(db, started.fence, { ...remote });
  return { ...started, remote };
};

const lookAs = async (discard: (remote: RemoteRender) => Promise<void>) =>
  endLeftRenders({ db, log: silentLog, renderer: { discard } });
/** Ids of what a worker that reaches AWS has ended. */
const look = async (): Promise<string[]> => {
  const discarded: RemoteRender[] = [];
  const ended = await lookAs(async (remote) => void discarded.push(remote));
  expect(ended).toBe(discarded.length);
  return discarded.map(({ renderId }) => renderId);
};
const sweep = async (fallsBack: boolean) => {
  const given = { db, clock, log: silentLog, timeoutSeconds: 60, fallsBack, turns: new Map() };
  await endUnservedExports(given);
  clock.advance(61_000);
  expect((await endUnservedExports(given)).settled).toBe(1);
};
const claim = ({ id, epoch }: Export) =>
  ask((tx) => startExport(tx, { exportId: id, epoch, workerId: newId() }, clock.now()));
const cancel = (row: Export) => ask((tx) => requestCancel(tx, row.organization_id, row.id, clock.now()));
const reason = { code: 'lambda_unavailable', text: 'AWS could not be reached' } as const;

type Way = (row: Export, fence: Fence) => Promise<unknown>;
const ways: Readonly<Record<string, Way>> = {
  'was ended because its mode has no worker': () => sweep(false),
  'went to the workers because its mode has none': () => sweep(true),
  'went to the workers because Lambda has no room': (_row, fence) =>
    ask((tx) => postpone(tx, fence, { mode: 'local' }, clock.now())),
  'was canceled in line, after its worker had stopped': async (row, fence) => {
    await ask((tx) => handBack(tx, fence, clock.now()));
    await cancel(row);
  },
  'was canceled while its worker was dead, and is taken over': async (row) => {
    await cancel(row);
    await claim(row);
  },
  'was canceled after its worker had been silent for long': async (row) => {
    clock.advance(hours(1));
    await cancel(row);
  },
  'was given up after too many starts': async (row) => {
    for (const _ of times(maxFruitlessStarts, () => 0)) await claim(row);
  },
  'failed for good because AWS could not be reached': (_row, fence) =>
    ask((tx) => failExport(tx, fence, reason, clock.now())),
  'was canceled by its worker, which died right then': async (row, fence) => {
    await cancel(row);
    await ask((tx) => finishCancel(tx, fence, clock.now()));
  },
};

describe('the render of an export that', () => {
  test.each(Object.entries(ways))('%s is ended, once', async (_name, way) => {
    const { row, fence, remote } = await renderThere();
    expect(await look()).toEqual([]);
    const before = wakes;
    await way(row, fence);
    await eventually(
      async () => wakes,
      (count) => count > before,
      { what: 'whoever can end it is told' },
    );
    expect(await look()).toEqual([remote.renderId]);
    expect((await readExport(db, row.id)).remote_render).toBeNull();
    expect(await look()).toEqual([]);
  });
});

test('a render that somebody watches, or will watch, is left alone', async () => {
  const [running, handedBack, retried, waits, done] = await Promise.all(times(5, renderThere));
  if (!running || !handedBack || !retried || !waits || !done) throw new Error('five renders');
  await ask((tx) => handBack(tx, handedBack.fence, clock.now()));
  await ask((tx) => awaitRetry(tx, retried.fence, reason, clock.now()));
  const until = new Date(clock.now().getTime() + minutes(1));
  await ask((tx) => postpone(tx, waits.fence, { until }, clock.now()));
  await complete(db, done.fence);
  expect(await look()).toEqual([]);
  expect((await readExport(db, done.row.id)).remote_render).toBeNull();
  for (const { row, remote } of [running, handedBack, retried, waits])
    expect((await readExport(db, row.id)).remote_render).toEqual(remote);
});

test('the render of an export that the workers completed before anybody reached AWS is ended, once', async () => {
  const { row, remote } = await renderThere();
  await sweep(true);
  await complete(db, await start(db, await readExport(db, row.id), clock.now()), {}, clock.now());
  await eventually(
    async () => wakes,
    (count) => count >= 2,
    { what: 'whoever can end it is told of the move, and of the end' },
  );
  expect(await readExport(db, row.id)).toMatchObject({ status: 'completed', remote_render: remote });
  expect(await look()).toEqual([remote.renderId]);
  expect(await readExport(db, row.id)).toMatchObject({ status: 'completed', remote_render: null });
  expect(await look()).toEqual([]);
});

test('what cannot be ended now is tried again, and holds up no other', async () => {
  const left = await Promise.all(times(3, renderThere));
  for (const { fence } of left) await ask((tx) => failExport(tx, fence, reason, clock.now()));
  const [bad] = left;
  const ended = lookAs(async ({ renderId }) => {
    if (renderId === bad?.remote.renderId) throw new Error('AWS is away');
  });
  expect(await ended).toBe(2);
  expect(await look()).toEqual([bad?.remote.renderId]);
});

test('more than are looked at in one go that cannot be ended hold up none of those that can', async () => {
  const { row, fence } = await renderThere();
  await ask((tx) => failExport(tx, fence, reason, clock.now()));
  // Their ids come first.
  await sql`INSERT INTO export
    SELECT (jsonb_populate_record(e, jsonb_build_object('id', '00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), 'remote_render', remote_render || '{"renderId": "bad"}'))).*
    FROM export e, generate_series(1, 120) AS n WHERE e.id = ${row.id}`.execute(db);
  const ended = lookAs(async ({ renderId }) => {
    if (renderId === 'bad') throw new Error('AWS is away');
  });
  expect(await ended).toBe(1);
  expect((await readExport(db, row.id)).remote_render).toBeNull();
  expect(await look()).toHaveLength(120);
});

test('what the workers render by now keeps its fence, its progress and its place', async () => {
  const { row } = await renderThere();
  await sweep(true);
  const before = await readExport(db, row.id);
  await look();
  expect(await readExport(db, row.id)).toEqual({ ...before, remote_render: null });
});
