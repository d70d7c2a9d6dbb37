import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { registerGauges } from '../../../src/apps/api/health.ts';
import { registerRenderMetrics } from '../../../src/apps/api/render-metrics.ts';
import { newId } from '../../../src/core/ids.ts';
import { watchModes } from '../../../src/domain/exports/unserved.ts';
import type { WorkerState } from '../../../src/domain/exports/workers.ts';
import { createSlotBudget } from '../../../src/domain/lambda/slot-budget.ts';
import { createMetrics } from '../../../src/platform/http/metrics.ts';
import { createMemoryQueue, startTestApi, type TestApi } from '../../support/api.ts';
import { acceptBatch, planBatch, squares } from '../../support/batches.ts';
import {
  accept,
  beatOnce,
  createOrganization,
  createUser,
  minutes,
  moveHeartbeat,
  noon,
  registerCompositions,
  slots,
  times,
} from '../../support/factories.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  api.clock.set(noon);
  await api.db.deleteFrom('render_chunk').execute();
  await api.db.updateTable('export').set({ status: 'canceled' }).execute();
  await api.db.updateTable('batch_run').set({ due: false }).execute();
  await api.db.deleteFrom('worker').execute();
});

const newUser = async (given: Parameters<typeof createOrganization>[1] = {}) => {
  const organizationId = await createOrganization(api.db, given);
  await registerCompositions(api.db, organizationId);
  return createUser(api.db, organizationId, { tier: 'pro' });
};
const has = async (...lines: readonly string[]) => {
  const page = await (await api.call('/metrics')).text();
  for (const line of lines) expect(page).toContain(`\n${line}\n`);
  return page;
};
const set = (id: string, values: Record<string, unknown>) =>
  api.db.updateTable('export').set(values).where('id', '=', id).execute();
const beat = (state: WorkerState) => beatOnce(api.db, state);

describe('the page of metrics', () => {
  test('of an installation at rest has every series, at nothing', async () => {
    const page = await has(
      'rendermill_exports_waiting{render_mode="local"} 0',
      'rendermill_exports_waiting{render_mode="lambda"} 0',
      'rendermill_exports_running{render_mode="local"} 0',
      'rendermill_exports_oldest_waiting_seconds{render_mode="local"} 0',
      'rendermill_exports_capped{render_mode="local"} 0',
      'rendermill_chunks{status="waiting"} 0',
      'rendermill_chunks{status="done"} 0',
      'rendermill_workers{state="rendering"} 0',
      'rendermill_workers{state="idle"} 0',
      'rendermill_workers{state="paused_disk"} 0',
      'rendermill_workers{state="paused_memory"} 0',
      'rendermill_workers_serving{render_mode="local"} 0',
      'rendermill_exports_unserved{render_mode="lambda"} 0',
      'rendermill_exports_unserved_seconds{render_mode="lambda"} 0',
      'rendermill_render_slots 0',
      'rendermill_admission_refused_total 0',
    );
    expect(page).not.toContain('rendermill_lambda_slots{');
  });

  test('tells what waits and what runs by mode, wherever it waits, and how long the oldest has waited', async () => {
    const who = await newUser();
    const [first, planned, running] = [
      await accept(api.db, who),
      await accept(api.db, who),
      await accept(api.db, who),
    ];
    await accept(api.db, who, { renderMode: 'lambda' }, new Date(Date.parse(noon) + minutes(1)));
    await set(first.id, { created_at: new Date(Date.parse(noon) - minutes(1)) });
    await set(planned.id, { fed_at: new Date(noon) });
    await set(running.id, {
      fed_at: new Date(noon),
      status: 'started',
      created_at: new Date(Date.parse(noon) - minutes(9)),
    });
    await acceptBatch(api.db, who, { variants: 10, sizes: squares(2), renderMode: 'lambda' });
    api.clock.advance(minutes(2));
    await has(
      'rendermill_exports_waiting{render_mode="local"} 2',
      'rendermill_exports_waiting{render_mode="lambda"} 21',
      'rendermill_exports_running{render_mode="local"} 1',
      'rendermill_exports_running{render_mode="lambda"} 0',
      'rendermill_exports_oldest_waiting_seconds{render_mode="local"} 180',
      'rendermill_exports_oldest_waiting_seconds{render_mode="lambda"} 120',
    );
  });

  test('counts a batch once, when half of its cells are exports, and not at all once all of them ended', async () => {
    const who = await newUser();
    const { batch, cells } = await planBatch(api.db, who, { variants: 4, sizes: squares(1) });
    await has('rendermill_exports_waiting{render_mode="local"} 4');
    for (const cell of cells) await set(cell.id, { status: 'canceled' });
    await api.db
      .updateTable('batch_run')
      .set({ due: true, total: 6 })
      .where('batch_id', '=', batch.id)
      .execute();
    await has('rendermill_exports_waiting{render_mode="local"} 2');
  });

  test('tells how many wait only because of the cap of their tier', async () => {
    const capped = await newUser({ tiers: { pro: { concurrentRenders: 2 } } });
    const free = await newUser();
    for (const who of [capped, free]) {
      const rows = await Promise.all(times(5, () => accept(api.db, who)));
      for (const row of rows.slice(0, 2)) await set(row.id, { fed_at: new Date(noon) });
    }
    await has(
      'rendermill_exports_capped{render_mode="local"} 3',
      'rendermill_exports_capped{render_mode="lambda"} 0',
    );
  });

  test('tells of the pieces of videos by their state', async () => {
    const row = await accept(api.db, await newUser());
    const states = ['waiting', 'started', 'started', 'done', 'done', 'done'] as const;
    const chunk = { export_id: row.id, organization_id: row.organization_id, first_frame: 0, last_frame: 9 };
    await api.db
      .insertInto('render_chunk')
      .values(
        states.map((status, number) => ({
          ...chunk,
          id: newId(),
          number,
          status,
          created_at: new Date(noon),
        })),
      )
      .execute();
    await has(
      'rendermill_chunks{status="waiting"} 1',
      'rendermill_chunks{status="started"} 2',
      'rendermill_chunks{status="done"} 3',
    );
  });

  test('tells what the live workers do, and how much they can', async () => {
    const [busy] = [await beat(slots(2)), await beat(slots(3))];
    await beat({ concurrency: 0, lambdaConcurrency: 0, renderModes: ['local'], paused: 'disk' });
    await beat({ concurrency: 0, lambdaConcurrency: 50, renderModes: ['local', 'lambda'], paused: 'memory' });
    const cutting = await beat(slots(1));
    const gone = await beat(slots(100));
    const who = await newUser();
    const started = await accept(api.db, who);
    await set(started.id, { status: 'started', fed_at: new Date(noon), worker_id: busy });
    const times_ = { created_at: new Date(noon), fed_at: new Date(noon) };
    const chunk = { id: newId(), export_id: started.id, organization_id: who.organizationId, number: 0 };
    await api.db
      .insertInto('render_chunk')
      .values({ ...chunk, ...times_, first_frame: 0, last_frame: 1, status: 'started', worker_id: cutting })
      .execute();
    await moveHeartbeat(api.db, gone, -minutes(1));
    await has(
      'rendermill_workers{state="rendering"} 2',
      'rendermill_workers{state="idle"} 1',
      'rendermill_workers{state="paused_disk"} 1',
      'rendermill_workers{state="paused_memory"} 1',
      'rendermill_render_slots 6',
    );
  });
});

test('tells what waits for a mode that nobody serves, and since when; of the others nothing', async () => {
  const who = await newUser();
  await accept(api.db, who);
  await accept(api.db, who, { renderMode: 'lambda' });
  await accept(api.db, who, { renderMode: 'lambda' });
  await watchModes(api.db, api.clock.now());
  api.clock.advance(minutes(1));
  await beat({ concurrency: 0, lambdaConcurrency: 0, renderModes: ['local'], paused: 'disk' });
  await has(
    'rendermill_workers_serving{render_mode="local"} 1',
    'rendermill_workers_serving{render_mode="lambda"} 0',
    'rendermill_exports_unserved{render_mode="local"} 0',
    'rendermill_exports_unserved{render_mode="lambda"} 2',
    'rendermill_exports_unserved_seconds{render_mode="local"} 0',
    'rendermill_exports_unserved_seconds{render_mode="lambda"} 60',
  );
});

test('the queue of Lambda is among the queues where there is one', async () => {
  const metrics = createMetrics();
  const lambdaQueue = createMemoryQueue('lambda-queue');
  await lambdaQueue.add([{ id: 'render-1', name: 'render', data: {} }]);
  registerGauges(metrics, { ...api, lambdaQueue });
  const page = await metrics.registry.metrics();
  expect(page).toContain('\nrendermill_queue_jobs{queue="lambda-queue",state="waiting"} 1\n');
  expect(page).toContain('\nrendermill_queue_jobs{queue="render-queue",state="waiting"} 0\n');
  expect(await (await api.call('/metrics')).text()).not.toContain('lambda-queue');
});

test('of an installation that renders on Lambda has the slots of its region', async () => {
  const environment = { LAMBDA_FUNCTION: 'f', LAMBDA_BUCKET: 'b', LAMBDA_REGION: 'eu-central-1' };
  const other = await startTestApi({ databaseUrl: api.databaseUrl, environment });
  onTestFinished(() => other.close());
  const scope = { scope: 'eu-central-1', ceiling: 200, leaseSeconds: 300 };
  const budget = createSlotBudget({ db: api.db, clock: other.clock, ...scope });
  const lease = await budget.acquire({ id: 'a', kind: 'video', urgency: 'batch', frames: 300 });
  const page = await (await other.call('/metrics')).text();
  expect(page).toContain('\nrendermill_lambda_slots{kind="limit"} 200\n');
  expect(page).toContain(`\nrendermill_lambda_slots{kind="used"} ${(lease?.functions ?? 0) + 1}\n`);
});

test('the slots of Lambda are told where there are any', async () => {
  const metrics = createMetrics();
  const lambdaSlots = async () => ({ limit: 1000, used: 17 });
  registerRenderMetrics(metrics, api, { admission: { refused: () => 3 }, lambdaSlots });
  const page = await metrics.registry.metrics();
  for (const line of [
    'rendermill_lambda_slots{kind="limit"} 1000',
    'rendermill_lambda_slots{kind="used"} 17',
    'rendermill_admission_refused_total 3',
    '# TYPE rendermill_admission_refused_total counter',
  ])
    expect(page).toContain(`\n${line}\n`);
});
