import { Redis } from 'ioredis';
import { describe, expect, inject, test } from 'vitest';
import { createLogger } from '../../../src/platform/log/log.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import type { QueueServer } from './contract/queue-bench.ts';
import { describeJobQueue } from './job-queue-contract.ts';

const startRedis = async (settings: readonly string[] = []): Promise<TestRedis> => {
  const redis = await startTestRedis(settings);
  if (redis === null) throw new Error('no redis-server');
  return redis;
};

const send = async (url: string, ...command: [string, ...string[]]): Promise<void> => {
  const redis = new Redis(url);
  await redis.call(...command);
  redis.disconnect();
};

const startServer = async (): Promise<QueueServer> => {
  const redis = await startRedis();
  const { url, stop, start, remove } = redis;
  return {
    backend: { kind: 'redis', url },
    wipe: () => send(url, 'FLUSHALL'),
    takeLock: (queue, jobId) => send(url, 'DEL', `bull:${queue}:${jobId}:lock`),
    stop,
    start,
    remove,
  };
};

const log = createLogger({ level: 'silent' });

describe.skipIf(inject('redisUrl') === null)('the queue on Redis', () => {
  describeJobQueue(startServer);

  test('a Redis that may evict jobs is refused, with the way to set it right', async () => {
    const redis = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    try {
      const opening = openJobQueue({ name: 'queue', backend: { kind: 'redis', url: redis.url }, log });
      await expect(opening).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
      });
    } finally {
      await redis.remove();
    }
  });

  test('a wrong password is refused as a configuration error', async () => {
    const redis = await startRedis();
    try {
      await send(redis.url, 'CONFIG', 'SET', 'requirepass', 'right');
      const url = redis.url.replace('redis://', 'redis://:wrong@');
      const opening = openJobQueue({ name: 'queue', backend: { kind: 'redis', url }, log });
      await expect(opening).rejects.toMatchObject({ code: 'invalid_configuration' });
    } finally {
      await redis.remove();
    }
  });

  test('a Redis that hangs makes an add fail within seconds', async () => {
    const redis = await startRedis();
    const queue = await openJobQueue({ name: 'queue', backend: { kind: 'redis', url: redis.url }, log });
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const start = performance.now();
      await expect(queue.add([{ id: 'a-1', name: 'test', data: {} }])).rejects.toMatchObject({
        code: 'queue_unavailable',
      });
      expect(performance.now() - start).toBeLessThan(6_000);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
      await queue.close();
      await redis.remove();
    }
  });
});
