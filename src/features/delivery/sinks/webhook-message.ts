/** A webhook on the wire, by the Standard Webhooks specification (https://www.standardwebhooks.com). */
import { createHmac } from 'node:crypto';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';
import { toCanonicalEvent } from '../../../core/events/canonical-event.ts';

export const webhookBody = (event: SinkEvent): Buffer =>
  Buffer.from(
    JSON.stringify({
      type: event.event,
      timestamp: event.occurredAt.toISOString(),
      data: toCanonicalEvent(event),
    }),
  );

const sign = (key: Uint8Array, id: string, seconds: number, body: Uint8Array): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64')}`;

/** Signed by each of the keys: during a rotation a receiver may know any one of them. */
export const webhookHeaders = (
  id: string,
  body: Uint8Array,
  keys: readonly Uint8Array[],
  now: Date,
): Readonly<Record<string, string>> => {
  const seconds = Math.floor(now.getTime() / 1_000);
  return {
    'content-type': 'application/json',
    'user-agent': 'Rendermill-Webhooks/1',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': keys.map((key) => sign(key, id, seconds, body)).join(' '),
  };
};
