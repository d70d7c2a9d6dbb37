/** Meta's Conversions API: conversions, of people who consented to advertising, to one pixel. */
import { createHash } from 'node:crypto';
import { readMetaAnswer } from '../../../core/delivery/meta-answer.ts';
import { toMetaEvent } from '../../../core/delivery/meta-event.ts';
import type { Sha256 } from '../../../core/delivery/meta-user-data.ts';
import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { RequestOutcome } from '../../../core/delivery/request-outcome.ts';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';
import type { Clock } from '../../../platform/clock/clock.ts';
import { createPostClient, type PostClient } from '../../../platform/egress/post-client.ts';
import { joinEvents, type PackedEvent, packEvent, splitByBytes } from './pack-events.ts';
import { outcomeOf } from './request-outcome.ts';
import { requestMs, sendHalving } from './send-halving.ts';
import type { Sink } from './sink.ts';

export interface MetaSinkOptions {
  readonly host: string;
  /** `v25.0` */
  readonly apiVersion: string;
  readonly pixelId: string;
  readonly accessToken: string;
  readonly testEventCode?: string;
  readonly clock: Clock;
  /** Until Meta has answered, milliseconds. */
  readonly timeoutMs?: number;
}

/** Meta takes 1,000; half of it keeps a refused request cheap to cut up. */
const batchSize = 500;
const concurrency = 2;
const maxRequestBytes = 5_000_000;
/** Errors are explained to a person at some length. */
const answerBytes = 16_000;

export const createMetaSink = (options: MetaSinkOptions): Sink => {
  const { host, apiVersion, pixelId } = options;
  const client = createPostClient({
    url: `${host.replace(/\/+$/, '')}/${apiVersion}/${pixelId}/events`,
    connections: concurrency,
    timeoutMs: options.timeoutMs ?? requestMs,
    allowPrivate: true,
    keptBytes: answerBytes,
  });
  return {
    batchSize,
    concurrency,
    deliver: (events, signal) => deliver(client, options, events, signal),
    close: () => client.close(),
  };
};

const sha256: Sha256 = (text) => createHash('sha256').update(text).digest('hex');

const deliver = async (
  client: PostClient,
  options: MetaSinkOptions,
  events: readonly SinkEvent[],
  signal: AbortSignal,
): Promise<readonly Verdict[]> => {
  const verdicts = new Map<number, Verdict>();
  const packed: PackedEvent[] = [];
  const now = options.clock.now();
  for (const [index, event] of events.entries()) {
    const mapped = toMetaEvent(event, { now, sha256 });
    if ('skipped' in mapped) verdicts.set(index, { type: 'skipped', reason: mapped.skipped });
    else packed.push(packEvent(index, mapped));
  }
  const sent = await sendHalving({
    parts: splitByBytes(packed, maxRequestBytes),
    send: (part) => post(client, options, part, signal),
    signal,
  });
  for (const [{ index }, verdict] of sent) verdicts.set(index, verdict);
  return events.map((_, index) => verdicts.get(index) ?? { type: 'postponed' });
};

/** The token stands in the body: what is logged on the way are addresses. */
const post = async (
  client: PostClient,
  { accessToken, testEventCode, clock }: MetaSinkOptions,
  events: readonly PackedEvent[],
  signal: AbortSignal,
): Promise<RequestOutcome> => {
  const rest = JSON.stringify({ access_token: accessToken, test_event_code: testEventCode });
  const body = Buffer.from(`{"data":${joinEvents(events)},${rest.slice(1)}`);
  const result = await client.post({ 'content-type': 'application/json' }, body, signal);
  return outcomeOf(result, {
    now: clock.now(),
    judge: (answer) => readMetaAnswer(answer, events.length),
  });
};
