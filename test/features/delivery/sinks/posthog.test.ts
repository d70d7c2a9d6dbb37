import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { PostHog } from 'posthog-node';
import { afterEach, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/delivery/outcomes.ts';
import type { PostHogMessage } from '../../../../src/core/delivery/posthog-message.ts';
import type { SinkEvent } from '../../../../src/core/delivery/sink-event.ts';
import { createPostHogSink } from '../../../../src/features/delivery/sinks/posthog.ts';
import type { Sink } from '../../../../src/features/delivery/sinks/sink.ts';
import { eventId, sinkEvent } from '../../../core/delivery/sink-events.ts';
import { createTestClock, hours } from '../../../support/factories.ts';
import { type Answer, type Received, type Receiver, startReceiver } from '../../../support/http-receiver.ts';

interface BatchBody {
  readonly api_key: string;
  readonly batch: readonly PostHogMessage[];
  readonly historical_migration?: boolean;
  readonly sent_at?: string;
}
type Request = Received<BatchBody>;

const clock = createTestClock();
const ok: Answer = { status: 200, body: '{"status":1}' };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const setUp = async (
  answer: (request: Request, response: ServerResponse) => Answer = () => ok,
  timeoutMs?: number,
): Promise<{ sink: Sink; receiver: Receiver<BatchBody> }> => {
  const receiver = await startReceiver(answer);
  const sink = createPostHogSink({
    host: `${receiver.url}/`,
    projectApiKey: 'phc_test',
    distinctIds: 'namespaced',
    clock,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  closing.push(
    () => sink.close(),
    () => receiver.close(),
  );
  return { sink, receiver };
};

const events = (count: number, given: (index: number) => Partial<SinkEvent> = () => ({})): SinkEvent[] =>
  Array.from({ length: count }, (_, index) => sinkEvent({ id: eventId(index), ...given(index) }));
const deliver = (sink: Sink, given: readonly SinkEvent[], signal = new AbortController().signal) =>
  sink.deliver(given, signal);
const types = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ type }) => type);
const uuids = ({ body }: Request): string[] => body.batch.map(({ uuid }) => uuid);
const holds = ({ body }: Request, ...numbers: number[]): boolean =>
  body.batch.some(({ uuid }) => numbers.some((number) => uuid === eventId(number)));

test('gives PostHog a gzipped batch, in order, under our ids and times, and knows that it was taken', async () => {
  const { sink, receiver } = await setUp();
  const verdicts = await deliver(
    sink,
    events(3, (index) => ({ properties: { index, text: 'ü\n"' } })),
  );
  expect(verdicts).toEqual(Array(3).fill({ type: 'delivered', status: 200, response: '{"status":1}' }));
  const [request] = receiver.received;
  expect(receiver.received).toHaveLength(1);
  expect(request?.path).toBe('/batch/');
  expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'content-encoding': 'gzip' });
  expect(Object.keys(request?.body ?? {})).toEqual(['api_key', 'batch']);
  expect(request?.body.api_key).toBe('phc_test');
  expect(request?.body.batch[1]).toEqual({
    uuid: eventId(1),
    event: 'export_downloaded',
    distinct_id: 'acme/u1',
    timestamp: '2026-03-10T11:59:00.000Z',
    properties: {
      index: 1,
      text: 'ü\n"',
      organization_id: 'acme',
      source: 'server',
      environment: 'test',
      schema_version: 1,
      $groups: { organization: 'acme' },
      $geoip_disable: true,
      $lib: 'rendermill',
    },
  });
  expect(uuids(request as Request)).toEqual([0, 1, 2].map(eventId));
});

test('sends what posthog-node sends for the same event, but for what that adds of its own', async () => {
  const { sink, receiver } = await setUp();
  await deliver(sink, events(1));
  const ours = receiver.received[0]?.body.batch[0];
  const client = new PostHog('phc_test', { host: receiver.url, flushAt: 100, fetchRetryCount: 0 });
  client.capture({
    distinctId: 'acme/u1',
    event: 'export_downloaded',
    uuid: eventId(0),
    timestamp: new Date('2026-03-10T11:59:00.000Z'),
    groups: { organization: 'acme' },
    properties: {
      organization_id: 'acme',
      source: 'server',
      environment: 'test',
      schema_version: 1,
    },
  });
  await client.flush();
  const theirs = structuredClone(receiver.received[1]?.body.batch[0]) as unknown as Record<string, unknown>;
  const properties = theirs.properties as Record<string, unknown>;
  delete properties.$lib_version;
  properties.$lib = 'rendermill';
  delete properties.$is_server;
  expect({ ...theirs, properties }).toEqual(ours);
});

test('marks what is older than 48 hours as historical, in a request of its own', async () => {
  const { sink, receiver } = await setUp();
  const old = new Date(clock.now().getTime() - hours(49));
  const given = events(5, (index) => (index % 2 === 0 ? {} : { occurredAt: old }));
  expect(types(await deliver(sink, given))).toEqual(Array(5).fill('delivered'));
  expect(receiver.received.map((request) => [request.body.historical_migration, uuids(request)])).toEqual([
    [true, [1, 3].map(eventId)],
    [undefined, [0, 2, 4].map(eventId)],
  ]);
});

test('what is skipped keeps its place among the verdicts, and a batch of nothing is no request', async () => {
  const { sink, receiver } = await setUp();
  const no = { consent: { adsAllowed: null, analyticsAllowed: false } };
  const verdicts = await deliver(
    sink,
    events(3, (index) => (index === 1 ? no : {})),
  );
  expect(types(verdicts)).toEqual(['delivered', 'skipped', 'delivered']);
  expect(uuids(receiver.received[0] as Request)).toEqual([0, 2].map(eventId));
  expect(
    await deliver(
      sink,
      events(2, () => no),
    ),
  ).toEqual(Array(2).fill({ type: 'skipped', reason: 'no consent for analytics' }));
  expect(receiver.received).toHaveLength(1);
});

test('one poisonous event in a batch of 500 is refused for good, alone; the 499 others are delivered, once each', async () => {
  const accepted: string[] = [];
  const { sink, receiver } = await setUp((request) => {
    if (holds(request, 317)) return { status: 400, body: 'event submitted with an empty distinct_id' };
    accepted.push(...uuids(request));
    return ok;
  });
  const verdicts = await deliver(sink, events(500));
  expect(verdicts[317]).toEqual({
    type: 'refused',
    final: true,
    status: 400,
    error: 'PostHog refused it with 400',
    response: 'event submitted with an empty distinct_id',
  });
  expect(types(verdicts.toSpliced(317, 1))).toEqual(Array(499).fill('delivered'));
  expect(accepted).toEqual(Array.from({ length: 500 }, (_, index) => eventId(index)).toSpliced(317, 1));
  expect(receiver.received.length).toBeLessThan(20);
});

test('a 413 halves the batch until it fits', async () => {
  const { sink, receiver } = await setUp(({ body }) => (body.batch.length > 3 ? { status: 413 } : ok));
  expect(types(await deliver(sink, events(10)))).toEqual(Array(10).fill('delivered'));
  expect(receiver.received.map(({ body }) => body.batch.length)).toEqual([10, 5, 3, 2, 5, 3, 2]);
});

test('no request has more than 5 MB of events, and one that has more alone is refused before it is sent', async () => {
  const { sink, receiver } = await setUp();
  const text = (megabytes: number) => ({
    properties: { text: randomBytes(megabytes * 500_000).toString('hex') },
  });
  const verdicts = await deliver(
    sink,
    events(8, (index) => text(index === 4 ? 6 : 1)),
  );
  expect(types(verdicts.toSpliced(4, 1))).toEqual(Array(7).fill('delivered'));
  expect(verdicts[4]).toMatchObject({ type: 'refused', final: true });
  expect(receiver.received.map(({ body }) => body.batch.length)).toEqual([4, 3]);
});

test.each([500, 502, 503, 408, 401, 403, 404, 302])(
  'on %i all wait, and nothing more is tried',
  async (status) => {
    const { sink, receiver } = await setUp(() => ({
      status,
      body: 'no',
      headers: { location: 'http://127.0.0.1:1/' },
    }));
    const old = new Date(clock.now().getTime() - hours(49));
    const verdicts = await deliver(
      sink,
      events(4, (index) => (index < 2 ? { occurredAt: old } : {})),
    );
    expect(types(verdicts)).toEqual(['unavailable', 'unavailable', 'postponed', 'postponed']);
    expect(verdicts[0]).toMatchObject({ status, response: 'no' });
    expect(receiver.received).toHaveLength(1);
  },
);

test('tells an operator whose key is wrong what to look at', async () => {
  const { sink } = await setUp(() => ({ status: 401 }));
  const [verdict] = await deliver(sink, events(1));
  expect(verdict).toMatchObject({ error: expect.stringContaining('POSTHOG_PROJECT_API_KEY') });
});

test('a 429 is obeyed: Retry-After in seconds or as a date', async () => {
  const asked = ['7', new Date(clock.now().getTime() + 90_000).toUTCString(), 'soon'];
  const { sink } = await setUp(() => ({ status: 429, headers: { 'retry-after': asked.shift() ?? '' } }));
  expect((await deliver(sink, events(1)))[0]).toMatchObject({ type: 'unavailable', retryAfterMs: 7_000 });
  expect((await deliver(sink, events(1)))[0]).toMatchObject({ type: 'unavailable', retryAfterMs: 90_000 });
  expect((await deliver(sink, events(1)))[0]).not.toHaveProperty('retryAfterMs');
});

test('a 200 is acceptance only where PostHog says so', async () => {
  const bodies = [
    '',
    '<html>Log in</html>',
    '{}',
    '{"status":0}',
    '{"status":1,"quota_limited":["events"]}',
    'null',
  ];
  const { sink } = await setUp(() => ({ status: 200, body: bodies.shift() ?? '{"status":"Ok"}' }));
  for (let left = bodies.length; left > 0; left -= 1) {
    expect(types(await deliver(sink, events(1)))).toEqual(['unavailable']);
  }
  expect(types(await deliver(sink, events(1)))).toEqual(['delivered']);
});

test('a project over its quota of recordings takes events; one over its quota of events makes them wait for an hour', async () => {
  const quotas = ['recordings', 'events'];
  const { sink } = await setUp(() => ({
    status: 200,
    body: `{"status":1,"quota_limited":["${quotas.shift()}"]}`,
  }));
  expect(types(await deliver(sink, events(1)))).toEqual(['delivered']);
  expect((await deliver(sink, events(1)))[0]).toMatchObject({ type: 'unavailable', retryAfterMs: hours(1) });
});

test('where the connection breaks in the middle, what was acknowledged is delivered and the rest comes again under the same ids', async () => {
  let breaks = true;
  const { sink, receiver } = await setUp((request, response) => {
    if (request.body.batch.length > 2) return { status: 413 };
    if (!breaks || !holds(request, 2)) return ok;
    response.destroy();
    return undefined;
  });
  const given = events(8);
  const verdicts = await deliver(sink, given);
  expect(types(verdicts)).toEqual([
    ...['delivered', 'delivered', 'unavailable', 'unavailable'],
    ...Array(4).fill('postponed'),
  ]);
  breaks = false;
  expect(types(await deliver(sink, given.slice(2)))).toEqual(Array(6).fill('delivered'));
  const taken = receiver.received.filter(({ body }) => body.batch.length <= 2).flatMap(uuids);
  expect(taken.toSorted()).toEqual([0, 1, 2, 2, 3, 3, 4, 5, 6, 7].map(eventId));
});

test('an answer that breaks off is none', async () => {
  const { sink } = await setUp((_, response) => {
    response.writeHead(200, { 'content-length': '12' });
    response.write('{"stat', () => response.destroy());
    return undefined;
  });
  expect(types(await deliver(sink, events(2)))).toEqual(['unavailable', 'unavailable']);
});

test('an answer without end is not read to its end', async () => {
  const { sink } = await setUp((_, response) => {
    response.writeHead(200);
    const pour = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      response.once('drain', pour);
    };
    pour();
    return undefined;
  });
  expect((await deliver(sink, events(1)))[0]).toMatchObject({
    type: 'unavailable',
    response: 'x'.repeat(1_000),
  });
});

test('a PostHog that hangs is away after its time', async () => {
  const { sink } = await setUp(() => undefined, 100);
  expect(types(await deliver(sink, events(2)))).toEqual(['unavailable', 'unavailable']);
});

test('a PostHog that is not there is away', async () => {
  const { sink, receiver } = await setUp();
  await receiver.close();
  closing.pop();
  expect(types(await deliver(sink, events(2)))).toEqual(['unavailable', 'unavailable']);
});

test('ends at once when it is stopped, and counts no attempt for it', async () => {
  const stopping = new AbortController();
  const { sink } = await setUp(() => {
    stopping.abort();
    return undefined;
  });
  expect(types(await deliver(sink, events(2), stopping.signal))).toEqual(['postponed', 'postponed']);
});
