import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { batchJobId } from '../../../src/core/batches.ts';
import { getRun } from '../../../src/domain/batches/batch.ts';
import { reconcileRuns, startCampaignFeeder } from '../../../src/features/campaigns/feeder.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';
import { createTenant, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { createUser, silentLog, times } from '../../support/factories.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { cellsIn, processorOf, request } from './support.ts';

let api: TestApi;
let tenant: Tenant;
let redis: TestRedis | null;
beforeAll(async () => {
  redis = await startTestRedis();
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  await redis?.remove();
});
beforeEach(async () => {
  tenant = await createTenant(api);
  await createUser(api.db, tenant.organizationId);
});

let queues = 0;

/** A queue of its own, and who feeds and serves it, both ended with the test. */
const serve = async (kind: 'postgres' | 'redis') => {
  const url = kind === 'redis' ? redis?.url : api.databaseUrl;
  if (url === undefined) throw new Error('no Redis');
  const queue = await openJobQueue({ name: `campaigns-${++queues}`, backend: { kind, url }, log: silentLog });
  const feeder = startCampaignFeeder({ ...api, queue });
  const worker = await queue.startWorker(2, processorOf(api));
  onTestFinished(async () => {
    await feeder.stop();
    await worker.close(1_000);
    await queue.close();
  });
};

describe.each(['postgres', 'redis'] as const)('the campaign queue on %s', (kind) => {
  test('plans what is accepted, woken by the commit', async (context) => {
    if (kind === 'redis' && redis === null) context.skip();
    await serve(kind);
    const ids = await Promise.all(times(3, () => request(api, tenant, { variants: 20 })));
    for (const id of ids)
      await expect.poll(async () => (await cellsIn(api, id)).length, { timeout: 20_000 }).toBe(40);
    const runs = await Promise.all(ids.map((batchId) => getRun(api.db, { batchId, run: 1 })));
    expect(runs.every((run) => !run.due && run.planned === run.total)).toBe(true);
  });
});

describe('the reconciliation', () => {
  test('puts back what the queue has lost, and leaves what it knows', async () => {
    const deps = { ...api, queue: api.campaignQueue };
    const [kept, lost] = [await request(api, tenant), await request(api, tenant)];
    const feeder = startCampaignFeeder(deps);
    await expect.poll(async () => (await getRun(api.db, { batchId: lost, run: 1 })).epoch).toBe(1);
    await feeder.stop();
    await api.campaignQueue.remove(batchJobId(lost, 1, 1));
    expect(await reconcileRuns(deps)).toBe(0);
    api.clock.advance(6_000);
    expect(await reconcileRuns(deps)).toBe(1);
    expect(await getRun(api.db, { batchId: lost, run: 1 })).toMatchObject({ due: true, fed_at: null });
    expect((await getRun(api.db, { batchId: kept, run: 1 })).fed_at).not.toBeNull();
  });

  test('is not needed where the queue would not take it: it is due again at once', async () => {
    const id = await request(api, tenant);
    const away = { ...api.campaignQueue, add: () => Promise.reject(new Error('Redis is away')) };
    const feeder = startCampaignFeeder({ ...api, queue: away });
    onTestFinished(() => feeder.stop());
    const run = () => getRun(api.db, { batchId: id, run: 1 });
    await expect.poll(async () => (await run()).epoch).toBeGreaterThan(0);
    await expect.poll(async () => (await run()).fed_at).toBeNull();
  });
});
