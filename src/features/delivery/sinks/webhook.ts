/** An endpoint that gets each event as a signed POST of its own. */
import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';
import type { WebhookSecret } from '../../../domain/deliveries/webhook-secrets.ts';
import type { Clock } from '../../../platform/clock/clock.ts';
import { createPostClient, type PostClient } from '../../../platform/egress/post-client.ts';
import type { Resolve } from '../../../platform/egress/resolve-public.ts';
import { attemptMs, type Sink } from './sink.ts';
import { webhookBody, webhookHeaders } from './webhook-message.ts';
import { judgeAnswer } from './webhook-verdict.ts';

export interface WebhookSinkOptions {
  readonly url: string;
  readonly secrets: readonly WebhookSecret[];
  /** Whether it may lie at an address that is not public. */
  readonly allowPrivate: boolean;
  readonly clock: Clock;
  /** Requests at once. */
  readonly concurrency?: number;
  readonly callsPerSecond?: number;
  readonly resolve?: Resolve;
  /** Until the endpoint has answered, milliseconds. */
  readonly timeoutMs?: number;
}

const defaultConcurrency = 8;
/** Leaves time within an attempt for the body of the answer and for recording it. */
const defaultTimeoutMs = attemptMs - 3_000;

export const createWebhookSink = (options: WebhookSinkOptions): Sink => {
  const { concurrency = defaultConcurrency, callsPerSecond } = options;
  const client = createPostClient({
    url: options.url,
    connections: concurrency,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    allowPrivate: options.allowPrivate,
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  });
  return {
    batchSize: 1,
    concurrency,
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    deliver: (events, signal) =>
      Promise.all(events.map((event) => deliverOne(client, options, event, signal))),
    close: () => client.close(),
  };
};

const deliverOne = async (
  client: PostClient,
  { secrets, clock }: WebhookSinkOptions,
  event: SinkEvent,
  signal: AbortSignal,
): Promise<Verdict> => {
  const now = clock.now();
  const keys = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ key }) => key);
  const body = webhookBody(event);
  const result = await client.post(webhookHeaders(event.id, body, keys, now), body, signal);
  if (result.type === 'answered') return judgeAnswer(result, clock.now());
  // Nobody knows whether it arrived; it comes again under the same id, and no attempt is lost to our own stop.
  if (result.type === 'aborted') return { type: 'postponed' };
  return { type: 'unavailable', error: result.error };
};
