import { sql } from 'kysely';
import { z } from 'zod';
import { countUnfinished } from '../../domain/exports/line-length.ts';
import { pendingMigrations } from '../../platform/db/migrate.ts';
import { toRendermillError } from '../../platform/http/error-response.ts';
import type { LabelledValue, Metrics } from '../../platform/http/metrics.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import type { JobQueue } from '../../platform/queue/contract.ts';
import type { Resources } from '../resources.ts';
import { createStorageProbe } from './storage-probe.ts';

const checkSchema = z.object({ ok: z.boolean(), detail: z.string().optional() });
const readySchema = z.object({ ready: z.boolean(), checks: z.record(z.string(), checkSchema) });

const check = async (work: () => Promise<string | undefined>): Promise<z.infer<typeof checkSchema>> => {
  try {
    const problem = await work();
    return problem === undefined ? { ok: true } : { ok: false, detail: problem };
  } catch (error) {
    // Public, so without hosts and ports: the log has the rest.
    return { ok: false, detail: toRendermillError(error).message };
  }
};

export const registerHealthRoutes = (server: HttpServer, resources: Resources): void => {
  const { db, lifecycle } = resources;
  const storageProblem = createStorageProbe(resources);
  server.get(
    '/healthz',
    {
      schema: {
        operationId: 'isAlive',
        summary: 'The process answers',
        tags: ['Operation'],
        response: { 200: z.object({ ok: z.boolean() }) },
      },
    },
    async () => ({ ok: true }),
  );
  server.get(
    '/readyz',
    {
      schema: {
        operationId: 'isReady',
        summary: 'The process can serve: database, migrations, queues and storage',
        tags: ['Operation'],
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const checks = {
        database: await check(async () => void (await sql`SELECT 1`.execute(db))),
        migrations: await check(async () => {
          const pending = await pendingMigrations(db);
          return pending.length === 0 ? undefined : `run rendermill migrate: ${pending.join(', ')}`;
        }),
        queue: await check(
          async () => void (await Promise.all(queuesOf(resources).map((queue) => queue.ping()))),
        ),
        storage: await check(storageProblem),
        process: await check(async () => (lifecycle.stopping.aborted ? 'shutting down' : undefined)),
      };
      const ready = Object.values(checks).every((one) => one.ok);
      return reply.status(ready ? 200 : 503).send({ ready, checks });
    },
  );
};

const queuesOf = ({ queue, lambdaQueue, campaignQueue }: Resources): readonly JobQueue[] =>
  [queue, lambdaQueue, campaignQueue].filter((one) => one !== null);

const countJobs = async (queue: JobQueue): Promise<LabelledValue[]> =>
  Object.entries(await queue.counts()).map(([state, value]) => ({
    labels: { queue: queue.name, state },
    value,
  }));

export const registerGauges = (metrics: Metrics, resources: Resources): void => {
  metrics.gaugeBy(
    'rendermill_exports_unfinished',
    'Exports that have not ended, by where they are',
    ['place'],
    async () =>
      Object.entries(await countUnfinished(resources.db)).map(([place, value]) => ({
        labels: { place },
        value,
      })),
  );
  metrics.gaugeBy('rendermill_queue_jobs', 'Jobs by queue and state', ['queue', 'state'], async () =>
    (await Promise.all(queuesOf(resources).map(countJobs))).flat(),
  );
};
