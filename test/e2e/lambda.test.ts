/** What completes an export does not know who rendered it: the same requests on a worker and on Lambda, and what was recorded of them. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactPrefix } from '../../src/domain/artifacts/artifact-keys.ts';
import { readEventsOf } from '../../src/domain/events/read-events.ts';
import { getExport } from '../../src/domain/exports/export.ts';
import { endUnservedExports } from '../../src/features/renders/end-unserved.ts';
import { bucketName, makeBucket } from '../platform/renderer/lambda/support.ts';
import { describeSandboxed } from '../support/aws/sandbox/describe-sandboxed.ts';
import { type AwsEmulator, startAws } from '../support/aws/start-aws.ts';
import { createTestClock, silentLog } from '../support/factories.ts';
import { endWorker, eventually, openScene, organizationId, type Scene } from '../support/scene.ts';

const still = { compositionId: 'example-hero-ad', kind: 'still', format: 'png', width: 320, height: 320 };
const video = {
  compositionId: 'promo-video',
  kind: 'video',
  format: 'mp4',
  width: 320,
  height: 180,
  frameRange: [0, 29],
};

await describeSandboxed('an installation that renders on its workers and on Lambda', () => {
  let aws: AwsEmulator;
  let scene: Scene;
  beforeAll(async () => {
    aws = await startAws();
    makeBucket(aws.s3);
    scene = await openScene({
      ...aws.environment,
      LAMBDA_FUNCTION: aws.functionName,
      LAMBDA_BUCKET: bucketName,
      LAMBDA_SITE_URL: await aws.s3.serveBucketAtRoot(bucketName),
      LAMBDA_SLOTS: '10',
    });
    await scene.call('PUT', '/api/users/ada', { tier: 'credits' });
    await scene.call('POST', '/api/users/ada/credits', { amount: 100 });
  }, 120_000);
  afterAll(async () => {
    await scene?.close();
    await aws?.stop();
  });

  const rowOf = (id: string) => getExport(scene.resources.db, organizationId, id);
  const ended = (id: string) =>
    eventually(
      () => rowOf(id),
      ({ status }) => status !== 'queued' && status !== 'started',
      { withinMs: 120_000, what: `the end of ${id}` },
    );
  const eventsOf = async (id: string) => {
    const events = await readEventsOf(scene.resources.db, { organizationId, id, afterPosition: 0 });
    return events.map((event) => ({
      name: event.event,
      properties: event.properties as Record<string, unknown>,
    }));
  };
  const filesOf = async (id: string) => {
    const keys: string[] = [];
    for await (const { key } of scene.resources.storage.list(artifactPrefix(organizationId, id)))
      keys.push(key);
    return keys;
  };

  /** What differs between any two renders, whoever makes them. */
  const varying = new Set([
    'renderMode',
    'exportId',
    'job_id',
    'timestamp',
    'sizeInBytes',
    'video_bytes',
    'duration',
    'processing_time_ms',
    'queue_wait_ms',
    'latency_ms',
    'latency_bucket',
    'file_size_bucket',
    'credits_before',
    'credits_after',
    'status_poll_count',
    'job_reprocessed_same_input',
  ]);
  const comparable = (events: Awaited<ReturnType<typeof eventsOf>>) =>
    events.map(({ name, properties }) => ({
      name,
      properties: Object.fromEntries(Object.entries(properties).filter(([key]) => !varying.has(key))),
    }));

  test('records the same of both, but for the mode; the cost is on the export, and nothing is left in the bucket', async () => {
    const worker = await scene.startWorker();
    // Whoever is first in anything has been so before the two are compared.
    await ended(await scene.accept({ ...still, renderMode: 'local' }));
    for (const request of [still, video]) {
      const [local, lambda] = [
        await scene.accept({ ...request, renderMode: 'local' }),
        await scene.accept({ ...request, renderMode: 'lambda' }),
      ];
      expect(await ended(local)).toMatchObject({ status: 'completed', render_mode: 'local', cost: null });
      const row = await ended(lambda);
      expect(row).toMatchObject({ status: 'completed', render_mode: 'lambda', remote_render: null });
      expect(row.cost).toBeGreaterThan(0);
      const [byWorker, byLambda] = [await eventsOf(local), await eventsOf(lambda)];
      expect(byLambda.map(({ name }) => name)).toContain('video_rendered');
      expect(comparable(byLambda)).toEqual(comparable(byWorker));
      for (const { properties } of byLambda) {
        if ('renderMode' in properties) expect(properties.renderMode).toBe('lambda');
      }
      const [file = ''] = await filesOf(lambda);
      expect(await scene.resources.storage.stat(file)).toMatchObject({ key: file });
      expect(join('/', file)).toContain(lambda);
    }

    await eventually(
      async () =>
        aws.s3.buckets
          .get(bucketName)
          ?.keys()
          .filter((key) => !key.startsWith('sites/')) ?? [],
      (keys) => keys.length === 0,
      { what: 'the removal of what Lambda left' },
    );
    expect(await scene.resources.db.selectFrom('lambda_lease').selectAll().execute()).toEqual([]);
    await endWorker(worker);
  }, 240_000);

  const remoteOf = (id: string) =>
    eventually(
      async () => (await rowOf(id)).remote_render,
      (remote) => remote !== null,
      { what: 'the start of the render', withinMs: 60_000 },
    );

  test('a worker that is killed while Lambda renders: the next one watches the same render to its end', async () => {
    const victim = await scene.startWorker();
    const id = await scene.accept({ ...video, renderMode: 'lambda', frameRange: [0, 44] });
    const remote = await remoteOf(id);
    victim.kill('SIGKILL');
    const starts = () => aws.lambda.statistics.invocations.filter(({ type }) => type === 'start').length;
    const before = starts();
    const rescuer = await scene.startWorker();
    expect(await ended(id)).toMatchObject({ status: 'completed' });
    expect(remote?.renderId).toMatch(/\w/);
    expect(starts()).toBe(before);
    await endWorker(rescuer);
  }, 240_000);

  test('a cancel ends the render at AWS, too, and gives the credit back', async () => {
    const worker = await scene.startWorker();
    const id = await scene.accept({ ...video, renderMode: 'lambda', frameRange: [0, 149] });
    await remoteOf(id);
    const balance = async () => {
      const { db } = scene.resources;
      return (await db.selectFrom('credit_balance').select('balance').executeTakeFirstOrThrow()).balance;
    };
    const before = await balance();
    expect((await scene.call('DELETE', `/api/render/${id}`)).ok).toBe(true);
    expect(await ended(id)).toMatchObject({ status: 'canceled' });
    expect(await balance()).toBe(before + 1);
    await endWorker(worker);
  }, 240_000);

  test('a render whose export ended while no worker was there ends as soon as one is', async () => {
    const { db } = scene.resources;
    const victim = await scene.startWorker();
    const id = await scene.accept({ ...video, renderMode: 'lambda', frameRange: [0, 149] });
    const remote = await remoteOf(id);
    victim.kill('SIGKILL');
    await db.deleteFrom('worker').execute();
    const keys = () =>
      [...(aws.s3.buckets.get(bucketName)?.keys() ?? [])].filter((key) =>
        key.startsWith(`renders/${remote?.renderId}/`),
      );
    const clock = createTestClock(new Date().toISOString());
    const sweep = () =>
      endUnservedExports({
        db,
        clock,
        log: silentLog,
        timeoutSeconds: 60,
        fallsBack: false,
        turns: new Map(),
      });
    await sweep();
    clock.advance(90_000);
    expect((await sweep()).settled).toBe(1);
    expect(await rowOf(id)).toMatchObject({ status: 'failed', error_code: 'render_mode_unserved' });
    expect(keys()).not.toEqual([]);
    const rescuer = await scene.startWorker();
    await eventually(
      async () => keys(),
      (left) => left.length === 0,
      { what: 'the removal of what the render wrote', withinMs: 60_000 },
    );
    await eventually(
      async () => aws.lambda.statistics.active,
      (active) => active === 0,
      { what: 'the end of its functions', withinMs: 60_000 },
    );
    expect(await rowOf(id)).toMatchObject({ status: 'failed', remote_render: null });
    await endWorker(rescuer);
  }, 240_000);

  test('a Lambda without room: the render waits without losing an attempt, and completes when there is some', async () => {
    const worker = await scene.startWorker();
    aws.lambda.limits.concurrency = 0;
    const id = await scene.accept({ ...still, renderMode: 'lambda' });
    await eventually(
      async () => (await rowOf(id)).not_before,
      (until) => until !== null,
      { what: 'the first refusal', withinMs: 60_000 },
    );
    expect(await rowOf(id)).toMatchObject({ failed_attempts: 0, error_code: null });
    aws.lambda.limits.concurrency = 1000;
    expect(await ended(id)).toMatchObject({ status: 'completed', render_mode: 'lambda', failed_attempts: 0 });
    await endWorker(worker);
  }, 240_000);

  test('or, where it is set up so, the worker renders it', async () => {
    const worker = await scene.startWorker({ RENDER_FALLBACK: 'local' });
    aws.lambda.limits.concurrency = 0;
    const id = await scene.accept({ ...still, renderMode: 'lambda', width: 400 });
    expect(await ended(id)).toMatchObject({ status: 'completed', render_mode: 'local', failed_attempts: 0 });
    aws.lambda.limits.concurrency = 1000;
    await endWorker(worker);
  }, 240_000);
});
