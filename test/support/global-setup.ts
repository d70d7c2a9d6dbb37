import type { TestProject } from 'vitest/node';
import { migrateDatabase } from '../../src/platform/db/migrate.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { databaseUrl, executeSql, startTestPostgres, templateDatabase } from './postgres.ts';
import { startTestRedis } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's, to create databases with. */
    postgresUrl: string;
    /** The run's Redis, shared by all tests: never flush it. `null` where no redis-server is installed. */
    redisUrl: string | null;
  }
}

/** One Postgres and one Redis for a whole run. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const started: { remove(): Promise<void> }[] = [];
  const tearDown = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.remove()));
  };
  try {
    const redis = await startTestRedis();
    if (redis === null) reportMissingRedis();
    else started.push(redis);
    const postgres = await startTestPostgres();
    started.push(postgres);
    await executeSql(postgres.url, `CREATE DATABASE ${templateDatabase}`);
    await migrateDatabase(databaseUrl(postgres.url, templateDatabase), createLogger({ level: 'warn' }));
    provide('postgresUrl', postgres.url);
    provide('redisUrl', redis?.url ?? null);
  } catch (error) {
    await tearDown();
    throw error;
  }
  return tearDown;
};

const reportMissingRedis = (): void => {
  const rule = '='.repeat(78);
  const text = [
    rule,
    'THE REDIS LEG DID NOT RUN',
    'There is no redis-server on the PATH, so nothing was tested on Redis.',
    'Install it (Debian: apt-get install redis-server) and run the tests again.',
    rule,
  ].join('\n');
  if (isCi()) throw new Error(`\n${text}`);
  console.error(`\n${text}\n`);
};

const isCi = (): boolean => process.env.CI === 'true' || process.env.CI === '1';
