/** What most tests begin with: a database of their own, a clock that they set, and exports in the state that they want. */

import { sql } from 'kysely';
import { newId } from '../../src/core/ids.ts';
import type { RenderRequest } from '../../src/core/render-request.ts';
import { renderRequestSchema } from '../../src/core/render-request.ts';
import { type TierName, type TierOverrides, tierOf } from '../../src/core/tiers.ts';
import { type CreatedKey, createApiKey, type KeyKind } from '../../src/domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../src/domain/accounts/organizations.ts';
import { setTier } from '../../src/domain/accounts/users.ts';
import { type RegisteredComposition, registerBundle } from '../../src/domain/compositions/register-bundle.ts';
import { type AcceptedOrder, acceptExport } from '../../src/domain/exports/accept-export.ts';
import { createAdmission } from '../../src/domain/exports/admission.ts';
import { completeExport, type RenderedFile } from '../../src/domain/exports/complete-export.ts';
import type { Export, Fence } from '../../src/domain/exports/export.ts';
import type { Metered } from '../../src/domain/exports/limits.ts';
import { startExport } from '../../src/domain/exports/start-export.ts';
import { recordHeartbeat, type WorkerState } from '../../src/domain/exports/workers.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import { type Database, openDatabase } from '../../src/platform/db/client.ts';
import type { Schema } from '../../src/platform/db/schema.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { createTestDatabase } from './postgres.ts';

export const silentLog = createLogger({ level: 'silent' });

export interface OpenTestDatabase {
  readonly url: string;
  readonly db: Database;
  close(): Promise<void>;
}

/** A clone of the migrated template, for one test file. */
export const openTestDatabase = async (maxConnections = 20): Promise<OpenTestDatabase> => {
  const { url, drop } = await createTestDatabase();
  const { db, close } = openDatabase({ url, log: silentLog, maxConnections });
  return {
    url,
    db,
    close: async () => {
      await close();
      await drop();
    },
  };
};

export interface TestClock extends Clock {
  set(time: string | Date): void;
  advance(milliseconds: number): void;
}

export const noon = '2026-03-10T12:00:00.000Z';

export const createTestClock = (start: string = noon): TestClock => {
  let now = new Date(start);
  return {
    now: () => new Date(now),
    set: (time) => {
      now = new Date(time);
    },
    advance: (milliseconds) => {
      now = new Date(now.getTime() + milliseconds);
    },
  };
};

export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;

let organizations = 0;

/** Returns its id; each test has one of its own, so that tests of a file do not meet. */
export const createOrganization = async (
  db: Database,
  given: { timeZone?: string; tiers?: TierOverrides } = {},
): Promise<string> => {
  const id = `org-${++organizations}`;
  const timeZone = given.timeZone === undefined ? {} : { timeZone: given.timeZone };
  await db.transaction().execute((tx) => ensureOrganization(tx, { id, ...timeZone }));
  if (given.tiers !== undefined) {
    const tier_overrides = JSON.stringify(given.tiers);
    await db.updateTable('organization').set({ tier_overrides }).where('id', '=', id).execute();
  }
  return id;
};

export const createKey = (
  db: Database,
  organizationId: string,
  kind: KeyKind = 'secret',
): Promise<CreatedKey> =>
  db.transaction().execute((tx) => createApiKey(tx, { organizationId, kind, name: `a ${kind} key` }));

export const compositionVersion = '00112233aabbccdd';

export const exampleComposition: RegisteredComposition = {
  id: 'hero-ad',
  width: 1080,
  height: 1080,
  fps: 30,
  durationInFrames: 300,
  hasCalculateMetadata: false,
  defaultProps: { title: 'Hello' },
  propsSchema: {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 40 },
      colour: { type: 'string', enum: ['red', 'blue'] },
    },
    required: ['title'],
    additionalProperties: false,
  },
  schemaNotes: [],
};

/** One without a schema, so that any props go through. */
export const openComposition: RegisteredComposition = {
  ...exampleComposition,
  id: 'open',
  durationInFrames: 900,
  defaultProps: {},
  propsSchema: null,
};

export const longComposition: RegisteredComposition = {
  ...openComposition,
  id: 'long',
  durationInFrames: 45 * 30,
};

export const registerCompositions = (
  db: Database,
  organizationId: string,
  given: { version?: string; compositions?: readonly RegisteredComposition[]; at?: Date } = {},
): Promise<void> =>
  db.transaction().execute((tx) =>
    registerBundle(
      tx,
      {
        organizationId,
        version: given.version ?? compositionVersion,
        storageKey: `bundles/${organizationId}/${given.version ?? compositionVersion}.tar`,
        sizeInBytes: 1000,
        compositions: given.compositions ?? [exampleComposition, openComposition, longComposition],
      },
      given.at ?? new Date(noon),
    ),
  );

/** A user of that tier, made in the database, as the metering sees them. */
export const createUser = async (
  db: Database,
  organizationId: string,
  given: { id?: string; tier?: TierName; timeZone?: string; tiers?: TierOverrides } = {},
): Promise<Metered> => {
  const { id = 'user-1', tier = 'unlimited', timeZone = 'UTC', tiers = {} } = given;
  await db.transaction().execute((tx) => setTier(tx, organizationId, id, tier, new Date(noon)));
  return { organizationId, userId: id, timeZone, tierName: tier, tier: tierOf(tier, tiers) };
};

export const anOrder = (given: Partial<AcceptedOrder> = {}): AcceptedOrder => ({
  id: newId(),
  projectId: 'project-1',
  kind: 'still',
  format: 'png',
  renderMode: 'local',
  compositionId: 'hero-ad',
  version: compositionVersion,
  request: { props: {} },
  planned: { width: 1080, height: 1080, durationSeconds: null },
  priority: 0,
  correlationId: newId(),
  ...given,
});

export const accept = (
  db: Database,
  who: Metered,
  given: Partial<AcceptedOrder> = {},
  now: Date = new Date(noon),
): Promise<Export> =>
  db.transaction().execute(async (tx) => (await acceptExport(tx, who, anOrder(given), now)).export);

/** Started by a worker, without the feeder. */
export const start = async (db: Database, row: Export, now: Date = new Date(noon)): Promise<Fence> => {
  const job = { exportId: row.id, epoch: row.epoch, workerId: newId() };
  const started = await db.transaction().execute((tx) => startExport(tx, job, now));
  if (started.type !== 'started') throw new Error(`export ${row.id} could not be started: ${started.type}`);
  return started.fence;
};

export const acceptAndStart = async (db: Database, who: Metered, given: Partial<AcceptedOrder> = {}) => {
  const row = await accept(db, who, given);
  return { row, fence: await start(db, row) };
};

export const aFile = (given: Partial<RenderedFile> = {}): RenderedFile => ({
  storageKey: `artifacts/${newId()}.png`,
  sizeInBytes: 1234,
  sha256: 'ab'.repeat(32),
  mediaType: 'image/png',
  width: 1080,
  height: 1080,
  durationSeconds: null,
  hasSound: null,
  renderTimeMs: 350,
  ...given,
});

export const complete = (
  db: Database,
  fence: Fence,
  given: Partial<RenderedFile> = {},
  now: Date = new Date(noon),
): Promise<Export> => db.transaction().execute((tx) => completeExport(tx, fence, aFile(given), now));

export const readExport = (db: Database, id: string): Promise<Export> =>
  db.selectFrom('export').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

export interface RecordedEvent {
  readonly event_name: string;
  readonly properties: Record<string, unknown>;
}

/** Of one organization, in the order in which they were written. */
export const eventsOf = (db: Database, organizationId: string): Promise<RecordedEvent[]> =>
  db
    .selectFrom('domain_event')
    .select(['event_name', 'properties'])
    .where('organization_id', '=', organizationId)
    .orderBy('position')
    .execute();

export const eventNamesOf = async (db: Database, organizationId: string): Promise<string[]> =>
  (await eventsOf(db, organizationId)).map((event) => event.event_name);

/** Rows of a table that belong to the organization. */
export const countRows = async (
  db: Database,
  table: Exclude<keyof Schema, 'installation' | 'worker' | 'organization'>,
  organizationId: string,
): Promise<number> => {
  const row = await db
    .selectFrom(table)
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();
  return row.count;
};

/** A worker that renders so many at once on its own machine. */
export const slots = (concurrency: number): WorkerState => ({
  concurrency,
  lambdaConcurrency: 0,
  renderModes: ['local'],
  paused: null,
});

/** A worker that is alive for as long as a test may take. Returns its id. */
export const beatOnce = async (db: Database, state: WorkerState, id: string = newId()): Promise<string> => {
  await recordHeartbeat(db, { id, host: 'a', pid: 1 }, state);
  await moveHeartbeat(db, id, hours(1));
  return id;
};

/** Its last heartbeat, by the database's clock: so many milliseconds from now, or, below 0, before now. */
export const moveHeartbeat = async (db: Database, id: string, ms: number): Promise<void> => {
  const seen_at = sql<Date>`statement_timestamp() + ${ms} * interval '1 millisecond'`;
  await db.updateTable('worker').set({ seen_at }).where('id', '=', id).execute();
};

/** What every acceptance needs: an installation that renders locally and has room. */
export const accepting = (db: Database, clock: Clock) => ({
  db,
  clock,
  renderModes: { default: 'local', available: ['local'] } as const,
  admission: createAdmission({ db, clock, maxWaiting: 100_000 }),
});

/** A request as it leaves the schema. */
export const aRequest = (given: Partial<RenderRequest> = {}): RenderRequest =>
  renderRequestSchema.parse({
    userId: 'user-1',
    projectId: 'project-1',
    compositionId: 'hero-ad',
    kind: 'still',
    format: 'png',
    ...given,
  });

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** What became of many at once. */
export const outcomes = async <T>(
  promises: readonly Promise<T>[],
): Promise<{ fulfilled: T[]; codes: string[] }> => {
  const settled = await Promise.allSettled(promises);
  return {
    fulfilled: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    codes: settled.flatMap((one) => (one.status === 'rejected' ? [codeOf(one.reason)] : [])),
  };
};

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
