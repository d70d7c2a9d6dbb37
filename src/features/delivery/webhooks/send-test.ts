import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';
import { newId } from '../../../core/ids.ts';
import { loadWebhookSecrets } from '../../../domain/deliveries/webhook-secrets.ts';
import type { Clock } from '../../../platform/clock/clock.ts';
import type { Resolve } from '../../../platform/egress/resolve-public.ts';
import { createWebhookSink } from '../sinks/webhook.ts';
import type { WebhookRules } from './keep-webhook.ts';

export interface TestOutcome {
  readonly delivered: boolean;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** The first bytes of the answer. */
  readonly response: string | null;
  readonly error: string | null;
}

/** In the shape of every other, and in no log: it is known to nobody but its receiver. */
const testEvent = (organizationId: string, webhookId: string, environment: string, now: Date): SinkEvent => ({
  id: newId(now),
  event: 'webhook_test',
  occurredAt: now,
  receivedAt: now,
  organizationId,
  userId: null,
  distinctId: null,
  sessionId: null,
  entityType: 'webhook',
  entityId: webhookId,
  correlationId: null,
  source: 'server',
  environment,
  schemaVersion: 1,
  isKnown: true,
  properties: { message: 'A test of this webhook, sent on request.' },
  context: {},
  consent: { adsAllowed: null, analyticsAllowed: null },
});

export interface TestSender extends WebhookRules {
  readonly clock: Clock;
  readonly resolve?: Resolve;
}

export interface TestedEndpoint {
  readonly organizationId: string;
  readonly id: string;
  readonly url: string;
}

/** Sends a message of type `webhook_test` now, whatever the endpoint's status is, and counts nowhere. */
export const sendTest = async (
  { db, clock, allowPrivate, secretBox, resolve }: TestSender,
  endpoint: TestedEndpoint,
  signal: AbortSignal,
): Promise<TestOutcome> => {
  const now = clock.now();
  const { environment } = await db.selectFrom('installation').select('environment').executeTakeFirstOrThrow();
  const event = testEvent(endpoint.organizationId, endpoint.id, environment, now);
  const sink = createWebhookSink({
    url: endpoint.url,
    secrets: await loadWebhookSecrets(db, secretBox, endpoint.id, now),
    allowPrivate,
    clock,
    concurrency: 1,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const started = performance.now();
  try {
    const [verdict] = await sink.deliver([event], signal);
    return { ...toOutcome(verdict), durationMs: Math.round(performance.now() - started) };
  } finally {
    await sink.close();
  }
};

const toOutcome = (verdict: Verdict | undefined): Omit<TestOutcome, 'durationMs'> => {
  const nothing = { delivered: false, status: null, response: null, error: null };
  // Skipped and postponed are not said of it, unless the request was given up.
  if (verdict === undefined || verdict.type === 'skipped' || verdict.type === 'postponed') return nothing;
  return {
    delivered: verdict.type === 'delivered',
    status: verdict.status ?? null,
    response: verdict.response ?? null,
    error: verdict.type === 'delivered' ? null : verdict.error,
  };
};
