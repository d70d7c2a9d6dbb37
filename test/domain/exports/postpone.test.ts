import { afterAll, expect, test } from 'vitest';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { saveRemoteRender } from '../../../src/domain/exports/remote-render.ts';
import { awaitRetry, postpone } from '../../../src/domain/exports/return-export.ts';
import {
  acceptAndStart,
  createOrganization,
  createUser,
  eventNamesOf,
  noon,
  openTestDatabase,
  readExport,
  start,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);
const remote = {
  renderId: 'abc',
  bucketName: 'renders',
  functionName: 'f',
  region: 'us-east-1',
  startedAt: noon,
};

const startOnLambda = async () => {
  const organizationId = await createOrganization(db);
  const started = await acceptAndStart(db, await createUser(db, organizationId), { renderMode: 'lambda' });
  await saveRemoteRender(db, started.fence, remote);
  return { ...started, organizationId };
};
const feed = (at: Date) => planNext(db, { mode: 'lambda', inFlight: 10, slots: 10 }, at);

test('a render without room waits for its time, costs no attempt, is told of once, and is found again at AWS', async () => {
  const { row, fence, organizationId } = await startOnLambda();
  await db.transaction().execute((tx) => postpone(tx, fence, { until: later(3_000) }, now));
  expect(await readExport(db, row.id)).toMatchObject({
    status: 'queued',
    attempt: 0,
    hand_backs: 0,
    remote_render: remote,
  });
  expect(await feed(later(2_000))).toEqual([]);
  expect((await feed(later(4_000)))?.map(({ id }) => id)).toEqual([row.id]);
  await start(db, await readExport(db, row.id), later(4_000));
  expect(await readExport(db, row.id)).toMatchObject({ status: 'started', attempt: 1 });
  const names = await eventNamesOf(db, organizationId);
  expect(names.filter((name) => name === 'processing_started')).toHaveLength(1);
});

test('a render that the workers take over is theirs alone, and told of as theirs', async () => {
  const { row, fence, organizationId } = await startOnLambda();
  await db.transaction().execute((tx) => postpone(tx, fence, { mode: 'local' }, now));
  expect(await readExport(db, row.id)).toMatchObject({
    render_mode: 'local',
    // Until a worker that reaches AWS has ended it.
    remote_render: remote,
    attempt: 0,
  });
  await start(db, await readExport(db, row.id), now);
  const names = await eventNamesOf(db, organizationId);
  expect(names.filter((name) => name === 'processing_started')).toHaveLength(2);
});

test('one that waits for another attempt remembers the render that may still go on', async () => {
  const { row, fence } = await startOnLambda();
  const reason = { code: 'lambda_unavailable', text: 'AWS could not be reached' } as const;
  await db.transaction().execute((tx) => awaitRetry(tx, fence, reason, now));
  expect((await readExport(db, row.id)).remote_render).toEqual(remote);
});
