import { sql } from 'kysely';
import type { Reader } from './client.ts';
import type { Channel } from './listener.ts';

/** Sent when the transaction commits, and never if it does not. */
export const notify = (db: Reader, channel: Channel, payload = ''): Promise<unknown> =>
  sql`SELECT pg_notify(${channel}, ${payload})`.execute(db);
