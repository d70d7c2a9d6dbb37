import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { MetaServerEvent } from '../../../../src/core/delivery/meta-event.ts';
import type { Verdict } from '../../../../src/core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../../src/core/delivery/sink-event.ts';
import { createMetaSink } from '../../../../src/features/delivery/sinks/meta.ts';
import type { Sink } from '../../../../src/features/delivery/sinks/sink.ts';
import { eventId, sinkEvent } from '../../../core/delivery/sink-events.ts';
import { createTestClock, hours, minutes } from '../../../support/factories.ts';
import { type Answer, type Received, type Receiver, startReceiver } from '../../../support/http-receiver.ts';

interface MetaBody {
  readonly data: readonly MetaServerEvent[];
  readonly access_token: string;
  readonly test_event_code?: string;
}
type Request = Received<MetaBody>;

const clock = createTestClock();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const received = (count: number): Answer => ({
  status: 200,
  body: JSON.stringify({ events_received: count, messages: [], fbtrace_id: 'A1' }),
});
const failed = (
  status: number,
  error: Record<string, unknown>,
  headers: Record<string, string> = {},
): Answer => ({
  status,
  body: JSON.stringify({
    error: { message: 'Invalid parameter', type: 'OAuthException', fbtrace_id: 'A1', ...error },
  }),
  headers,
});

const setUp = async (
  answer: (request: Request, response: ServerResponse) => Answer = ({ body }) => received(body.data.length),
  testEventCode?: string,
): Promise<{ sink: Sink; receiver: Receiver<MetaBody> }> => {
  const receiver = await startReceiver(answer);
  const sink = createMetaSink({
    host: receiver.url,
    apiVersion: 'v25.0',
    pixelId: '123',
    accessToken: 'EAAsecret',
    clock,
    ...(testEventCode === undefined ? {} : { testEventCode }),
  });
  closing.push(
    () => sink.close(),
    () => receiver.close(),
  );
  return { sink, receiver };
};

const conversions = (count: number, given: (index: number) => Partial<SinkEvent> = () => ({})): SinkEvent[] =>
  Array.from({ length: count }, (_, index) =>
    sinkEvent({
      id: eventId(index),
      event: 'landing_view',
      consent: { adsAllowed: true, analyticsAllowed: null },
      ...given(index),
    }),
  );
const deliver = (sink: Sink, given: readonly SinkEvent[]) =>
  sink.deliver(given, new AbortController().signal);
const types = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ type }) => type);
const holds = ({ body }: Request, number: number): boolean =>
  body.data.some(({ event_id }) => event_id === eventId(number));

test('sends conversions to the pixel, with the token in the body and in no address', async () => {
  const { sink, receiver } = await setUp();
  expect(types(await deliver(sink, conversions(2)))).toEqual(['delivered', 'delivered']);
  const [request] = receiver.received;
  expect(request?.path).toBe('/v25.0/123/events');
  expect(JSON.stringify(request?.headers)).not.toContain('EAAsecret');
  expect(Object.keys(request?.body ?? {})).toEqual(['data', 'access_token']);
  expect(request?.body.access_token).toBe('EAAsecret');
  expect(request?.body.data[1]).toEqual({
    event_name: 'PageView',
    event_time: Date.parse('2026-03-10T11:59:00.000Z') / 1_000,
    event_id: eventId(1),
    action_source: 'website',
    user_data: { external_id: ['dd98121d70a158316bc8b29c81fc1a3d0d0f6be3960fbe301be68a8ed8969e7e'] },
  });
});

test('marks a test as such', async () => {
  const { sink, receiver } = await setUp(undefined, 'TEST42');
  await deliver(sink, conversions(1));
  expect(receiver.received[0]?.body.test_event_code).toBe('TEST42');
});

test('only people who allow advertising are told of, and nothing that is seven days old goes into a request', async () => {
  const { sink, receiver } = await setUp();
  const weekOld = new Date(clock.now().getTime() - hours(168) + minutes(5));
  const verdicts = await deliver(
    sink,
    conversions(4, (index) => {
      if (index === 0) return { consent: { adsAllowed: null, analyticsAllowed: true } };
      if (index === 2) return { occurredAt: weekOld };
      return {};
    }),
  );
  expect(verdicts[0]).toEqual({ type: 'skipped', reason: 'no consent for advertising' });
  expect(verdicts[2]).toEqual({ type: 'skipped', reason: 'older than seven days' });
  expect(types(verdicts)).toEqual(['skipped', 'delivered', 'skipped', 'delivered']);
  expect(receiver.received.map(({ body }) => body.data.map(({ event_id }) => event_id))).toEqual([
    [eventId(1), eventId(3)],
  ]);
});

test('age is that of the moment of sending', async () => {
  const { sink } = await setUp();
  const [event] = conversions(1, () => ({ occurredAt: new Date(clock.now().getTime() - hours(167)) }));
  expect(types(await deliver(sink, [event as SinkEvent]))).toEqual(['delivered']);
  clock.advance(hours(1));
  expect(types(await deliver(sink, [event as SinkEvent]))).toEqual(['skipped']);
  clock.advance(-hours(1));
});

test('one event that Meta does not want, in a batch of 500, is refused alone', async () => {
  const { sink, receiver } = await setUp((request) =>
    holds(request, 41)
      ? failed(400, {
          code: 100,
          error_subcode: 2_804_016,
          error_user_msg: `The ct parameter isn’t hashed. ${'Long explanation. '.repeat(100)}`,
        })
      : received(request.body.data.length),
  );
  const verdicts = await deliver(sink, conversions(500));
  expect(verdicts[41]).toMatchObject({
    type: 'refused',
    final: true,
    status: 400,
    error: expect.stringContaining('The ct parameter'),
  });
  expect(types(verdicts.toSpliced(41, 1))).toEqual(Array(499).fill('delivered'));
  expect(receiver.received.length).toBeLessThan(20);
});

test('an event that Meta silently did not receive is found, and tried again', async () => {
  const { sink } = await setUp((request) => received(request.body.data.length - (holds(request, 2) ? 1 : 0)));
  const verdicts = await deliver(sink, conversions(4));
  expect(types(verdicts)).toEqual(['delivered', 'delivered', 'refused', 'delivered']);
  expect(verdicts[2]).toMatchObject({ final: false, error: 'Meta received 0 of 1 events' });
});

test.each([
  [400, { code: 190 }, 'Meta does not accept META_ACCESS_TOKEN'],
  [400, { code: 102 }, 'Meta does not accept META_ACCESS_TOKEN'],
  [403, { code: 10 }, 'META_ACCESS_TOKEN may not send to META_PIXEL_ID'],
  [400, { code: 200 }, 'META_ACCESS_TOKEN may not send to META_PIXEL_ID'],
  [400, { code: 4 }, 'Meta limits the rate'],
  [400, { code: 17 }, 'Meta limits the rate'],
  [400, { code: 613 }, 'Meta limits the rate'],
  [400, { code: 80_004 }, 'Meta limits the rate'],
  [400, { code: 100, error_subcode: 33 }, 'Meta answered 400 (100)'],
  [400, { code: 100, is_transient: true }, 'Meta answered 400 (100)'],
  [400, { code: 2 }, 'Meta answered 400 (2)'],
  [500, { code: 1 }, 'Meta answered 500 (1)'],
])('%i %j says nothing of the events: they wait', async (status, error, text) => {
  const { sink, receiver } = await setUp(() => failed(status, error));
  const verdicts = await deliver(sink, conversions(2));
  expect(types(verdicts)).toEqual(['unavailable', 'unavailable']);
  expect(verdicts[0]).toMatchObject({ status, error: expect.stringContaining(text) });
  expect(receiver.received).toHaveLength(1);
});

test('is as patient as Meta asks it to be', async () => {
  const { sink } = await setUp(() => failed(429, { code: 4 }, { 'retry-after': '120' }));
  expect((await deliver(sink, conversions(1)))[0]).toMatchObject({
    type: 'unavailable',
    retryAfterMs: 120_000,
  });
});

test('an answer that is not of Meta accepts nothing', async () => {
  const bodies = ['<html>Log in</html>', '{}', '{"events_received":"all"}'];
  const { sink } = await setUp(() => ({ status: 200, body: bodies.shift() ?? '' }));
  for (let left = 4; left > 0; left -= 1) {
    expect(types(await deliver(sink, conversions(1)))).toEqual(['unavailable']);
  }
});

test('no answer, no acceptance: the same events come again under the same ids', async () => {
  let resets = true;
  const { sink, receiver } = await setUp(({ body }, response) => {
    if (!resets) return received(body.data.length);
    response.destroy();
    return undefined;
  });
  expect(types(await deliver(sink, conversions(3)))).toEqual(Array(3).fill('unavailable'));
  resets = false;
  expect(types(await deliver(sink, conversions(3)))).toEqual(Array(3).fill('delivered'));
  const [first, second] = receiver.received.map(({ body }) => body.data);
  expect(first).toEqual(second);
});
