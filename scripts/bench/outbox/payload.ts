/** What a job of the alternatives carries, and the request that it makes: the same bytes as ours, as near as may be. */
import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type SinkName = 'posthog' | 'webhook';

export interface Payload {
  readonly id: string;
  readonly event: string;
  readonly timestamp: string;
  readonly userId: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const key = Buffer.alloc(32, 7);

export const jobRequest = (sink: SinkName, payloads: readonly Payload[]) => {
  const headers = { 'content-type': 'application/json' };
  if (sink === 'webhook') {
    const [payload] = payloads;
    const body = JSON.stringify({ type: payload?.event, timestamp: payload?.timestamp, data: payload });
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', key).update(`${payload?.id}.${time}.${body}`).digest('base64');
    const signed = {
      'webhook-id': payload?.id ?? '',
      'webhook-timestamp': String(time),
      'webhook-signature': `v1,${signature}`,
    };
    return { path: '/', headers: { ...headers, ...signed }, body };
  }
  const batch = payloads.map(({ id, event, timestamp, userId, properties }) => ({
    uuid: id,
    event,
    timestamp,
    distinct_id: userId,
    properties,
  }));
  const body = gzipSync(JSON.stringify({ api_key: 'phc_bench', batch }));
  return { path: '/batch/', headers: { ...headers, 'content-encoding': 'gzip' }, body };
};
