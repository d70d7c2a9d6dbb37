import { sql } from 'kysely';
import type { Reader } from './client.ts';
import type { Channel } from './listener.ts';

/** Sent when the transaction commits, and never if it does not. */
export const notify = (db: Reader, channel: Channel, payload = ''): Promise<unknown> =>
  sql`SELECT pg_notify(${channel}, ${payload})`.execute(db);

export const notifyAll = async (db: Reader, channel: Channel, payloads: readonly string[]): Promise<void> => {
  if (payloads.length === 0) return;
  await sql`SELECT pg_notify(${channel}, payload) FROM unnest(${[...payloads]}::text[]) AS payload`.execute(
    db,
  );
};
