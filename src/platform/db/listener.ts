/**
 * LISTEN on one connection of its own, which comes back by itself. A notification is a hint, never a record: whoever listens
 * also looks from time to time, and is told of each new connection, since what was sent in between is gone.
 */
import pg from 'pg';
import type { Logger } from '../log/log.ts';

/**
 * What a payload names: nothing (`feed`, `batch_feed`, `event`, `delivery`, `lambda_end`), an export (`export`), an export or a batch (`cancel`), a batch
 * (`batch`), a render at AWS (`lambda`).
 */
const channels = [
  'rendermill_feed',
  'rendermill_export',
  'rendermill_cancel',
  'rendermill_event',
  'rendermill_delivery',
  'rendermill_batch',
  'rendermill_batch_feed',
  'rendermill_lambda',
  'rendermill_lambda_end',
] as const;
export type Channel = (typeof channels)[number];
type Handler = (payload: string) => void;

export interface Listener {
  /** Returns the function that ends it. The payload is empty where the connection was made anew. */
  on(channel: Channel, handler: Handler): () => void;
  close(): Promise<void>;
}

const reconnectMs = 500;

export const openListener = async (url: string, log: Logger): Promise<Listener> => {
  const handlers = new Map<Channel, Set<Handler>>(channels.map((channel) => [channel, new Set()]));
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const tell = (channel: string, payload: string) => {
    for (const handler of handlers.get(channel as Channel) ?? []) handler(payload);
  };

  const reconnectLater = (error?: unknown) => {
    client = undefined;
    if (closed || timer) return;
    if (error) log.warn({ err: error }, 'the listening database connection broke; connecting again');
    timer = setTimeout(() => {
      timer = undefined;
      connect().then(() => {
        for (const channel of channels) tell(channel, '');
      }, reconnectLater);
    }, reconnectMs);
  };

  const connect = async () => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'rendermill-listener',
      keepAlive: true,
    });
    next.on('notification', (message) => tell(message.channel, message.payload ?? ''));
    next.on('error', reconnectLater);
    next.on('end', () => reconnectLater());
    await next.connect();
    for (const channel of channels) await next.query(`LISTEN ${channel}`);
    if (closed) return void (await next.end());
    client = next;
  };

  await connect();
  return {
    on: (channel, handler) => {
      handlers.get(channel)?.add(handler);
      return () => handlers.get(channel)?.delete(handler);
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
};
