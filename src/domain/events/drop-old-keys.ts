import type { Database } from '../../platform/db/client.ts';

/** How long an event's id is known again: a sender that retries for longer than this would be recorded twice. */
export const eventKeyDays = 30;

export const dropOldEventKeys = async (db: Database, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - eventKeyDays * 24 * 3_600_000);
  await db.deleteFrom('domain_event_key').where('received_at', '<', before).execute();
};
