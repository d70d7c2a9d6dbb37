import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/delivery/outcomes.ts';
import { toCanonicalEvent } from '../../../../src/core/events/canonical-event.ts';
import { createConsoleSink } from '../../../../src/features/delivery/sinks/console.ts';
import { createFileSink } from '../../../../src/features/delivery/sinks/file.ts';
import type { Sink } from '../../../../src/features/delivery/sinks/sink.ts';
import { sinkEvent } from '../../../core/delivery/sink-events.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-sinks-'));
});
afterAll(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();
const events = [
  sinkEvent({ properties: { text: 'two\nlines \u2028 "quoted"' } }),
  sinkEvent({ context: { page: { url: 'https://shop.example/' } } }),
];
const asLines = (given = events): string =>
  given.map((event) => `${JSON.stringify(toCanonicalEvent(event))}\n`).join('');
const deliver = (sink: Sink, given = events): Promise<readonly Verdict[]> => sink.deliver(given, signal);
const delivered = (count: number) => Array(count).fill({ type: 'delivered' });

let files = 0;
const openFile = (): { path: string; sink: Sink } => {
  const path = join(folder, `events-${++files}.jsonl`);
  return { path, sink: createFileSink({ path }) };
};

test('the console gets the canonical event, one line each', async () => {
  const output = new PassThrough();
  expect(await deliver(createConsoleSink({ output }))).toEqual(delivered(2));
  expect(output.read().toString()).toBe(asLines());
});

test('a console that is gone has taken nothing', async () => {
  const output = new PassThrough();
  output.on('error', () => undefined);
  output.end();
  expect(await deliver(createConsoleSink({ output }))).toEqual(
    Array(2).fill({ type: 'unavailable', error: expect.stringContaining('The output takes nothing') }),
  );
});

test('the file has the canonical event, one line each, call after call, for nobody else to read', async () => {
  const { path, sink } = openFile();
  expect(await deliver(sink)).toEqual(delivered(2));
  expect(await deliver(sink)).toEqual(delivered(2));
  await sink.close();
  expect(await readFile(path, 'utf8')).toBe(asLines() + asLines());
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a new sink goes on where the old one ended', async () => {
  const { path, sink } = openFile();
  await deliver(sink);
  await sink.close();
  const next = createFileSink({ path });
  await deliver(next);
  await next.close();
  expect(await readFile(path, 'utf8')).toBe(asLines() + asLines());
});

test('after a crash in mid-line the next event still has a line of its own', async () => {
  const { path, sink } = openFile();
  await writeFile(path, '{"id":"hal');
  await deliver(sink);
  await appendFile(path, '{"id":"again hal');
  await deliver(sink);
  await sink.close();
  expect(await readFile(path, 'utf8')).toBe(`{"id":"hal\n${asLines()}{"id":"again hal\n${asLines()}`);
});

test('follows rotation: the renamed file is left alone, a new one begins', async () => {
  const { path, sink } = openFile();
  await deliver(sink);
  await rename(path, `${path}.1`);
  await deliver(sink);
  await rm(path);
  await deliver(sink);
  await sink.close();
  expect(await readFile(`${path}.1`, 'utf8')).toBe(asLines());
  expect(await readFile(path, 'utf8')).toBe(asLines());
});

test('a full disk makes events wait, and they arrive when there is room', async () => {
  const sink = createFileSink({ path: '/dev/full' });
  expect(await deliver(sink)).toEqual(
    Array(2).fill({ type: 'unavailable', error: expect.stringContaining('ENOSPC') }),
  );
  await sink.close();
});

test('a path that is no file makes events wait, until it is one', async () => {
  const { path, sink } = openFile();
  await mkdir(path);
  expect(await deliver(sink)).toEqual(
    Array(2).fill({
      type: 'unavailable',
      error: expect.stringContaining(`EVENT_FILE ${path} takes nothing`),
    }),
  );
  await rm(path, { recursive: true });
  expect(await deliver(sink)).toEqual(delivered(2));
  await sink.close();
});

test('several dispatchers append to one file without mixing their lines', async () => {
  const { path, sink } = openFile();
  const sinks = [sink, createFileSink({ path }), createFileSink({ path })];
  const many = Array.from({ length: 200 }, () => sinkEvent({ properties: { text: 'x'.repeat(500) } }));
  await Promise.all(sinks.flatMap((one) => [deliver(one, many)]));
  await Promise.all(sinks.map((one) => one.close()));
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(600);
  for (const line of lines) expect(JSON.parse(line).event).toBe('export_downloaded');
});
