import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/platform/log/log.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';
import {
  createTestDatabase,
  executeSql,
  startTestPostgres,
  type TestDatabase,
} from '../../support/postgres.ts';
import type { QueueServer } from './contract/queue-bench.ts';
import { describeJobQueue } from './job-queue-contract.ts';

const wipe = `DO $$
  DECLARE one text;
  BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'bullmq' AND tablename <> 'migration' LOOP
      EXECUTE format('TRUNCATE bullmq.%I CASCADE', one);
    END LOOP;
  END $$`;

const startServer = async (): Promise<QueueServer> => {
  const { url, stop, start, remove } = await startTestPostgres();
  return {
    backend: { kind: 'postgres', url },
    wipe: () => executeSql(url, wipe),
    takeLock: (queue, jobId) =>
      executeSql(
        url,
        `UPDATE bullmq.job SET lock_token = 'nobody', locked_until_ms = 1 WHERE queue = '${queue}' AND id = '${jobId}'`,
      ),
    stop,
    start,
    remove,
  };
};

const log = createLogger({ level: 'silent' });

describe('the queue on Postgres', () => {
  describeJobQueue(startServer);

  describe('in a fresh database', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createTestDatabase('template0');
    });
    afterAll(() => database.drop());

    test('many may open it at the same time, and only the schema bullmq is made', async () => {
      const backend = { kind: 'postgres', url: database.url } as const;
      const queues = await Promise.all(
        Array.from({ length: 8 }, (_, index) => openJobQueue({ name: `queue-${index}`, backend, log })),
      );
      await Promise.all(queues.map((queue) => queue.add([{ id: 'a-1', name: 'test', data: {} }])));
      expect(await Promise.all(queues.map(async (queue) => (await queue.counts()).waiting))).toEqual(
        queues.map(() => 1),
      );
      await Promise.all(queues.map((queue) => queue.close()));
      expect(await schemas(database.url)).toEqual(['bullmq']);
    });

    test('a wrong database is refused as a configuration error', async () => {
      const url = new URL(database.url);
      url.pathname = '/there_is_none';
      const opening = openJobQueue({ name: 'queue', backend: { kind: 'postgres', url: url.href }, log });
      await expect(opening).rejects.toMatchObject({ code: 'invalid_configuration' });
    });
  });
});

const schemas = async (url: string): Promise<string[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ schemaname: string }>(
    "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  await client.end();
  return rows.map((row) => row.schemaname);
};
