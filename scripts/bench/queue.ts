/**
 * What the service adds to a render: from the request to its completed export, as a client sees it, less the bare render call
 * (selectComposition + renderStill with a shared browser and bundle, the best that Remotion's documentation teaches). The three
 * are measured in turn, round by round, so that a busy machine is busy for all of them; each figure is of the rounds' differences.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowser, renderStill, selectComposition } from '@remotion/renderer';
import { type Client, createClient } from '../../src/client/client.ts';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { startTestRedis } from '../../test/support/redis.ts';
import { startService } from '../support/start-service.ts';

const rounds = Number(process.env.ROUNDS ?? 25);
const warmUps = 3;
const compositionId = 'example-hero-ad';
/** Remotion's page server for the bare call: away from everything else. */
const pagePort = 3_917;

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const throughService = async (client: Client): Promise<void> => {
  const { id } = await client.render({
    userId: 'bench',
    projectId: 'bench',
    compositionId,
    kind: 'still',
    format: 'png',
  });
  for await (const message of client.watch(id)) {
    if (message.type === 'status' && message.status === 'failed')
      throw new Error(`the render failed: ${message.error?.message}`);
  }
};

const openBare = async (serveUrl: string, folder: string) => {
  const browserExecutable = (await findBrowser({})).path;
  const common = {
    browserExecutable,
    chromeMode: 'headless-shell',
    logLevel: 'error',
    port: pagePort,
  } as const;
  const browser = await openBrowser('chrome', {
    browserExecutable,
    chromeMode: 'headless-shell',
    logLevel: 'error',
  });
  return {
    render: async () => {
      const options = { ...common, serveUrl, puppeteerInstance: browser, inputProps: {} };
      const composition = await selectComposition({ ...options, id: compositionId });
      await renderStill({
        ...options,
        composition,
        output: join(folder, 'bare.png'),
        imageFormat: 'png',
        overwrite: true,
      });
    },
    close: () => browser.close({ silent: true }),
  };
};

const openService = async (home: string, environment: Record<string, string>) => {
  const service = await startService({ home, environment: { WORKER_CONCURRENCY: '1', ...environment } });
  const client = createClient(service);
  await client.putUser('bench', { tier: 'unlimited' });
  return { client, stop: service.stop };
};

const main = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-bench-'));
  const redis = await startTestRedis();
  if (redis === null)
    throw new Error('This bench compares both queues and needs redis-server: run scripts/setup.');
  const onPostgres = await openService(join(folder, 'postgres'), {});
  const onRedis = await openService(join(folder, 'redis'), { REDIS_URL: redis.url });
  const times = { bare: [] as number[], postgres: [] as number[], redis: [] as number[] };
  try {
    for (let i = 0; i < warmUps; i++) {
      await throughService(onPostgres.client);
      await throughService(onRedis.client);
    }
    const bundles = join(folder, 'postgres', 'cache', 'bundles', 'development');
    const [version = ''] = await readdir(bundles);
    const bare = await openBare(join(bundles, version), folder);
    for (let i = 0; i < warmUps; i++) await bare.render();
    for (let round = 1; round <= rounds; round++) {
      times.bare.push(await timed(bare.render));
      times.postgres.push(await timed(() => throughService(onPostgres.client)));
      times.redis.push(await timed(() => throughService(onRedis.client)));
      const [b, p, r] = [times.bare, times.postgres, times.redis].map((list) => Math.round(list.at(-1) ?? 0));
      console.log(`round ${round}: bare ${b} ms, on Postgres ${p} ms, on Redis ${r} ms`);
    }
    await bare.close();
  } finally {
    await onPostgres.stop();
    await onRedis.stop();
    await redis.remove();
    await rm(folder, { recursive: true, force: true });
  }
  const added = (list: readonly number[]) => list.map((time, round) => time - (times.bare[round] ?? 0));
  console.log(
    JSON.stringify({
      redisMedianMs: quantile(added(times.redis), 0.5),
      redisP95Ms: quantile(added(times.redis), 0.95),
      postgresMedianMs: quantile(added(times.postgres), 0.5),
      postgresP95Ms: quantile(added(times.postgres), 0.95),
      bareRenderMs: quantile(times.bare, 0.5),
    }),
  );
};

await main();
