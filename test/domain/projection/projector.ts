/** Drives the projector over the log of a test's database, as the dispatcher does: page by page, each in one transaction. */
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { EventName } from '../../../src/core/events/catalog.ts';
import type { NewEvent } from '../../../src/core/events/new-event.ts';
import type { PersonFacts } from '../../../src/core/projection/person-facts.ts';
import { appendEvents } from '../../../src/domain/events/append-events.ts';
import {
  type LogCursor,
  type LoggedEvent,
  readEventsAfter,
  startOfLog,
} from '../../../src/domain/events/read-events.ts';
import type { absorbEvents } from '../../../src/domain/identity/absorb-events.ts';
import { projectEvents } from '../../../src/domain/projection/project-events.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import { hours, minutes, noon } from '../../support/factories.ts';

export interface Seen extends LoggedEvent {
  /** What the projector derived of it. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Projector {
  /** Which user a visitor belongs to, from now on. */
  link(organizationId: string, distinctId: string, userId: string): void;
  /** Reads on to the end of the log, in pages of so many, until nothing new is concluded. */
  run(pageSize?: number): Promise<void>;
  /** Of one organization, in the order of the log. */
  seen(organizationId: string, event?: string): Seen[];
}

const settled = async (db: Database): Promise<void> => {
  const isBehind = sql<{ behind: boolean }>`
    SELECT coalesce(max(xid::text::bigint), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS behind FROM domain_event`;
  await expect
    .poll(async () => (await isBehind.execute(db)).rows[0]?.behind, { timeout: 20_000, interval: 10 })
    .toBe(true);
};

/** `readPeople` tells who did what; absent: the links that the test gives. */
export const createProjector = (db: Database, readPeople?: typeof absorbEvents): Projector => {
  let cursor: LogCursor = startOfLog;
  const links = new Map<string, string>();
  const all: Seen[] = [];

  const factsOf = (event: LoggedEvent): PersonFacts => ({
    userId: event.userId ?? links.get(`${event.organizationId}/${event.distinctId}`) ?? null,
    distinctId: event.distinctId,
    firstTouch: null,
    lastTouch: null,
    consent: { adsAllowed: null, analyticsAllowed: null },
  });

  const readPage = (pageSize: number): Promise<number> =>
    db.transaction().execute(async (tx) => {
      const { events, next } = await readEventsAfter(tx, cursor, { limit: pageSize });
      const now = new Date(Date.parse(noon) + hours(10_000));
      const people =
        (await readPeople?.(tx, events, now)) ??
        new Map(events.map((event) => [event.position, factsOf(event)]));
      const derived = await projectEvents(tx, events, people, now);
      all.push(...events.map((event) => ({ ...event, values: derived.get(event.position) ?? {} })));
      cursor = next;
      return events.length;
    });

  return {
    link: (organizationId, distinctId, userId) => {
      links.set(`${organizationId}/${distinctId}`, userId);
    },
    run: async (pageSize = 1000) => {
      do await settled(db);
      while ((await readPage(pageSize)) > 0);
    },
    seen: (organizationId, event) =>
      all.filter(
        (one) => one.organizationId === organizationId && (event === undefined || one.event === event),
      ),
  };
};

type Given = Partial<Omit<NewEvent, 'name' | 'properties' | 'occurredAt'>> & {
  readonly minute?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
};

/** As a tenant's backend or browser sends it: the catalog's own contract is not asked, only the log. */
export const record = async (
  db: Database,
  organizationId: string,
  names: EventName | readonly EventName[],
  { minute = 0, ...given }: Given = {},
): Promise<void> => {
  const rows = [names].flat().map((event_name) => ({
    id: given.id ?? crypto.randomUUID(),
    event_name,
    occurred_at: new Date(Date.parse(noon) + minutes(minute)),
    organization_id: organizationId,
    user_id: given.userId ?? null,
    distinct_id: given.distinctId ?? null,
    session_id: given.sessionId ?? null,
    entity_type: given.entity?.type ?? null,
    entity_id: given.entity?.id ?? null,
    correlation_id: given.correlationId ?? null,
    source: given.source ?? 'server',
    schema_version: 1,
    properties: given.properties ?? {},
    context: {},
    retention_class: 'business' as const,
    is_known: true,
  }));
  await db.transaction().execute((tx) => appendEvents(tx, rows));
};
