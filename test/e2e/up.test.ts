import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startService } from '../../scripts/support/start-service.ts';
import { type Client, createClient } from '../../src/client/client.ts';
import type { RenderOrder } from '../../src/client/types.ts';
import { eventually, processesOf } from '../support/scene.ts';

/** New for the first test; the others find in it what their predecessors left, as anyone does after the first day. */
const home = await mkdtemp(join(tmpdir(), 'rendermill-up-'));
/** What a failed test leaves running would keep the folder from the next one. */
afterEach(async () => {
  for (const line of await processesOf(home)) process.kill(Number(line.split(' ')[0]), 'SIGKILL');
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));

const nothingRuns = () =>
  eventually(
    () => processesOf(home),
    (found) => found.length === 0,
    { what: 'the end of all processes' },
  );

const still = {
  userId: 'ada',
  projectId: 'launch',
  compositionId: 'example-hero-ad',
  kind: 'still',
  format: 'jpeg',
  width: 300,
  height: 250,
} as const;
const video: RenderOrder = {
  ...still,
  compositionId: 'promo-video',
  kind: 'video',
  format: 'mp4',
  width: 320,
  height: 180,
  frameRange: [0, 99],
};

const finalOf = async (client: Client, id: string) => {
  for await (const message of client.watch(id)) if (message.type === 'status') continue;
  return client.get(id);
};

/** Of a user of that name, who has a limit of three a day. */
const renderAtWork = async (client: Client, userId: string): Promise<string> => {
  const { id } = await client.render({ ...video, userId });
  await eventually(
    () => client.get(id),
    ({ status, progress }) => status === 'started' && (progress?.renderedFrames ?? 0) > 0,
    { what: 'a render at work' },
  );
  return id;
};

test('up renders on the embedded default, tells a second one who has the folder, and Ctrl-C leaves nothing running', async () => {
  const lines: string[] = [];
  const service = await startService({ home, onLine: (line) => lines.push(line) });
  const second = startService({ home });
  await expect(second).rejects.toThrow(/ended with code 1/);
  expect(await readFile(join(home, 'url'), 'utf8')).toBe(`${service.url}\n`);

  const client = createClient(service);
  const { id, limit, remaining } = await client.render(still);
  expect({ limit, remaining }).toEqual({ limit: 3, remaining: 2 });
  expect(await finalOf(client, id)).toMatchObject({ status: 'completed', file: { width: 300, height: 250 } });
  expect(lines.filter((line) => line.includes('video_rendered'))).toHaveLength(1);

  await service.stop();
  await nothingRuns();
  expect(await readdir(join(home, 'work'))).toEqual([]);
  expect(await readdir(home)).not.toContain('url');
  // What is concluded from the last render may be printed in between.
  const isEvent = /^\d{4}-\d\d-\d\dT/;
  expect(lines.filter((line) => !isEvent.test(line)).slice(-2)).toEqual([
    'Stopping: running renders may take up to 30 s; Ctrl-C again stops at once.',
    'Stopped.',
  ]);
}, 120_000);

test('up gives the user of the commands no daily limit, and others the one of their tier', async () => {
  const service = await startService({ home });
  const client = createClient(service);
  const { id, limit } = await client.render({ ...still, userId: 'cli' });
  expect(limit).toBeNull();
  await finalOf(client, id);
  await service.stop();
}, 120_000);

test('Ctrl-C lets a running render end under the eyes of its client and of whoever reads the events', async () => {
  const lines: string[] = [];
  const service = await startService({ home, onLine: (line) => lines.push(line) });
  const client = createClient(service);
  const id = await renderAtWork(client, 'bob');
  const exited = once(service.process, 'exit');
  service.process.kill('SIGINT');
  const statuses: string[] = [];
  for await (const message of client.watch(id)) if (message.type === 'status') statuses.push(message.status);
  expect(statuses.at(-1)).toBe('completed');
  expect(await exited).toEqual([0, null]);
  const said = lines.slice(lines.findIndex((line) => line.startsWith('Stopping: ')));
  expect(said.filter((line) => line.includes('video_rendered'))).toHaveLength(1);
  expect(said.at(-1)).toBe('Stopped.');
  await nothingRuns();
}, 120_000);

test('up after a killed up adopts the database that was left running and takes the render over', async () => {
  const killed = await startService({ home, environment: { QUEUE_LOCK_MS: '2000' } });
  const id = await renderAtWork(createClient(killed), 'cem');
  const exited = once(killed.process, 'exit');
  killed.process.kill('SIGKILL');
  await exited;
  expect((await processesOf(home)).filter((line) => /bin\/postgres/.test(line)).length).toBeGreaterThan(0);

  const next = await startService({ home, environment: { QUEUE_LOCK_MS: '2000' } });
  expect(next.key).toBe(killed.key);
  const record = await finalOf(createClient(next), id);
  expect(record).toMatchObject({ status: 'completed', attempt: 2 });
  const { exports } = await createClient(next).exports({ userId: 'cem' });
  expect(exports).toHaveLength(1);
  await next.stop();
  await nothingRuns();
}, 180_000);

test('Ctrl-C under a render that takes too long hands it back, and the next up renders it at no cost', async () => {
  const service = await startService({ home, environment: { SHUTDOWN_SECONDS: '1' } });
  const client = createClient(service);
  const id = await renderAtWork(client, 'dan');
  await service.stop();
  await nothingRuns();

  const next = await startService({ home });
  const record = await finalOf(createClient(next), id);
  expect(record).toMatchObject({ status: 'completed', error: null });
  await next.stop();
  await nothingRuns();
}, 180_000);

test('a database that is killed under up comes back by itself, and the render goes on', async () => {
  const service = await startService({ home, environment: { QUEUE_LOCK_MS: '2000', LOG_LEVEL: 'silent' } });
  const client = createClient(service);
  const id = await renderAtWork(client, 'fay');
  const pid = Number(
    (await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
  );
  process.kill(pid, 'SIGKILL');
  const record = await eventually(
    () => client.get(id).catch(() => null),
    (found) => found?.status === 'completed',
    { withinMs: 90_000, what: 'a completion after the death of the database' },
  );
  expect(record?.file).not.toBeNull();
  await service.stop();
  await nothingRuns();
}, 180_000);

// The last, because it leaves a render unfinished.
test('a second Ctrl-C under a render ends at once, and the database with it', async () => {
  const lines: string[] = [];
  const service = await startService({ home, onLine: (line) => lines.push(line) });
  await renderAtWork(createClient(service), 'eve');
  const exited = once(service.process, 'exit');
  service.process.kill('SIGINT');
  await eventually(
    async () => lines.some((line) => line.startsWith('Stopping: ')),
    (said) => said,
    { what: 'the announcement of the stop' },
  );
  service.process.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
  await nothingRuns();
}, 120_000);
