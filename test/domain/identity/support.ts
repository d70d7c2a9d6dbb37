/** A log that a test writes by hand, and the projector's part that knows people. */
import { expect, vi } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { PersonFacts } from '../../../src/core/projection/person-facts.ts';
import { appendEvents, type LogRow } from '../../../src/domain/events/append-events.ts';
import { markProjected } from '../../../src/domain/events/mark-projected.ts';
import { type PlacedEvent, takePage } from '../../../src/domain/events/read-page.ts';
import { absorbEvents } from '../../../src/domain/identity/absorb-events.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import { noon } from '../../support/factories.ts';

export const at = (seconds: number): Date => new Date(Date.parse(noon) + seconds * 1000);

export const aRow = (organizationId: string, given: Partial<LogRow> = {}): LogRow => ({
  id: newId(),
  event_name: 'landing_view',
  occurred_at: at(0),
  organization_id: organizationId,
  user_id: null,
  distinct_id: null,
  session_id: null,
  entity_type: null,
  entity_id: null,
  correlation_id: null,
  source: given.distinct_id === undefined || given.user_id !== undefined ? 'server' : 'web',
  schema_version: 1,
  properties: {},
  context: {},
  retention_class: 'business',
  is_known: true,
  ...given,
});

export const write = async (db: Database, rows: readonly LogRow[]): Promise<void> => {
  await db.transaction().execute((tx) => appendEvents(tx, rows));
};

/** Everything that the log has, page by page, read as the projector reads it. Waits for what is not to be read yet. */
export const absorb = async (db: Database, pageSize = 1000): Promise<Map<string, PersonFacts>> => {
  const facts = new Map<string, PersonFacts>();
  await vi.waitFor(
    async () => {
      while ((await absorbPage(db, pageSize, facts)) > 0);
      const left = await db.selectFrom('domain_event').select('id').where('derived', 'is', null).execute();
      expect(left).toEqual([]);
    },
    { timeout: 20_000, interval: 20 },
  );
  return facts;
};

const absorbPage = (db: Database, pageSize: number, facts: Map<string, PersonFacts>): Promise<number> =>
  db.transaction().execute(async (tx) => {
    const events: PlacedEvent[] = (await takePage(tx, 'projector', pageSize)) ?? [];
    const found = await absorbEvents(tx, events, at(0));
    await markProjected(tx, events, new Map(), new Map());
    for (const event of events) {
      const one = found.get(event.position);
      if (one) facts.set(event.id, one);
    }
    return events.length;
  });

/** The same events once more, as if nothing had been read. */
export const absorbAgain = async (db: Database): Promise<void> => {
  await db
    .updateTable('event_cursor')
    .set({ xid: '0', position: 0 })
    .where('name', '=', 'projector')
    .execute();
  await absorb(db);
};

/** Writes one event and reads it: what is known of its person then. */
export const happen = async (db: Database, row: LogRow): Promise<PersonFacts | undefined> => {
  await write(db, [row]);
  return (await absorb(db)).get(row.id);
};
