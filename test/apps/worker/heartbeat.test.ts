/** A worker's heartbeat on a real database, pausing and resuming real workers of a real queue. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { FreeSpace } from '../../../src/apps/worker/floors.ts';
import { startHeartbeat } from '../../../src/apps/worker/heartbeat.ts';
import { newId } from '../../../src/core/ids.ts';
import { liveCapacity, liveLambdaCapacity, servedModes } from '../../../src/domain/exports/workers.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import type { JobQueue, QueueWorker } from '../../../src/platform/queue/contract.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';
import { openTestDatabase, silentLog } from '../../support/factories.ts';
import { eventually } from '../../support/scene.ts';

const megabyte = 1024 * 1024;
const { db, url, close } = await openTestDatabase();
const config = loadConfig({ MIN_FREE_DISK_MB: '500', MIN_FREE_MEMORY_MB: '200' });

let local: JobQueue;
let lambda: JobQueue;
beforeAll(async () => {
  const backend = { kind: 'postgres', url } as const;
  const open = (name: string) =>
    openJobQueue({ name, backend, lockDurationMs: 10_000, stalledIntervalMs: 5_000, log: silentLog });
  [local, lambda] = await Promise.all([open('render-queue'), open('lambda-queue')]);
});
afterAll(async () => {
  await Promise.all([local.close(), lambda.close()]);
  await close();
});
beforeEach(() => db.deleteFrom('worker').execute());

/** MB. */
interface Given {
  disk: number;
  memory: number;
}

const setUp = async (given: Given) => {
  const ran: string[] = [];
  let trims = 0;
  let beats = 0;
  let onTrim = (): void => undefined;
  const workerOf = async (queue: JobQueue): Promise<QueueWorker> => {
    const worker = await queue.startWorker(1, async ({ id }) => {
      ran.push(id);
    });
    onTestFinished(() => worker.close(1_000));
    return worker;
  };
  const queueWorkers = [await workerOf(local), await workerOf(lambda)];
  const measure = async (): Promise<FreeSpace> => {
    beats += 1;
    return { disk: given.disk * megabyte, memory: given.memory * megabyte };
  };
  const renderer = {
    trim: async () => {
      trims += 1;
      onTrim();
    },
  };
  const heartbeat = await startHeartbeat(
    { config, db, log: silentLog },
    { id: newId(), host: 'a', pid: 1 },
    { concurrency: 2, lambdaConcurrency: 50, renderModes: ['local', 'lambda'] },
    queueWorkers,
    renderer,
    { measure, everyMs: 20 },
  );
  onTestFinished(() => heartbeat.stop());
  return {
    ran,
    given,
    trims: () => trims,
    /** The worker has looked again several times. */
    lookedAgain: async () => {
      const before = beats;
      await eventually(
        async () => beats,
        (count) => count > before + 6,
      );
    },
    whenTrimmed: (work: () => void) => {
      onTrim = work;
    },
  };
};

const seen = async () => {
  const row = await db
    .selectFrom('worker')
    .select(['concurrency', 'lambda_concurrency', 'paused'])
    .executeTakeFirst();
  return row && [row.concurrency, row.lambda_concurrency, row.paused];
};
const becomes = (expected: readonly unknown[]) =>
  eventually(seen, (row) => JSON.stringify(row) === JSON.stringify(expected), { what: `${expected}` });

let jobs = 0;
const add = async (queue: JobQueue): Promise<string> => {
  const id = `job-${++jobs}`;
  await queue.add([{ id, name: 'render', data: {} }]);
  return id;
};
const runs = (ran: readonly string[], id: string) =>
  eventually(
    async () => ran,
    (ids) => ids.includes(id),
    { what: `${id} runs` },
  );

describe('a worker', () => {
  test('with room says how much it can do, here and on Lambda', async () => {
    const { ran, trims } = await setUp({ disk: 500, memory: 200 });
    expect(await seen()).toEqual([2, 50, null]);
    expect(await liveCapacity(db)).toBe(2);
    expect(await liveLambdaCapacity(db)).toBe(50);
    expect(await servedModes(db)).toEqual(new Set(['local', 'lambda']));
    await runs(ran, await add(local));
    expect(trims()).toBe(0);
  });

  test('short of memory takes no renders of its own, and goes on watching those on Lambda', async () => {
    const { ran, given } = await setUp({ disk: 500, memory: 199 });
    expect(await seen()).toEqual([0, 50, 'memory']);
    const held = await add(local);
    await runs(ran, await add(lambda));
    expect(ran).not.toContain(held);
    given.memory = 240;
    await becomes([2, 50, null]);
    await runs(ran, held);
  });

  test('short of disk takes nothing at all, until there is room again', async () => {
    const { ran, given, lookedAgain } = await setUp({ disk: 1000, memory: 1000 });
    given.disk = 499;
    await becomes([0, 0, 'disk']);
    const held = [await add(local), await add(lambda)];
    await lookedAgain();
    expect(ran).toEqual([]);
    given.disk = 600;
    await becomes([2, 50, null]);
    for (const id of held) await runs(ran, id);
  });

  test('that paused wants a fifth more before it goes on: one render must not pause it again', async () => {
    const { given, lookedAgain } = await setUp({ disk: 499, memory: 1000 });
    given.disk = 599;
    await lookedAgain();
    expect(await seen()).toEqual([0, 0, 'disk']);
    given.disk = 600;
    await becomes([2, 50, null]);
    given.disk = 501;
    await lookedAgain();
    expect(await seen()).toEqual([2, 50, null]);
  });

  test('gives back what idle browsers hold before it pauses, and does not pause where that is enough', async () => {
    const { given, trims, whenTrimmed, lookedAgain } = await setUp({ disk: 1000, memory: 1000 });
    whenTrimmed(() => {
      given.memory = 300;
    });
    given.memory = 100;
    await eventually(
      async () => trims(),
      (count) => count === 1,
    );
    await lookedAgain();
    expect(trims()).toBe(1);
    expect(await seen()).toEqual([2, 50, null]);
  });

  test('short of both says disk, and memory once only that is short', async () => {
    const { given } = await setUp({ disk: 1, memory: 1 });
    expect(await seen()).toEqual([0, 0, 'disk']);
    given.disk = 1000;
    await becomes([0, 50, 'memory']);
  });
});
