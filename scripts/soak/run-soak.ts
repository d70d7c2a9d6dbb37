/** A soak from its first arrival to the end of all processes, and everything that was found wrong with it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { createClient } from '../../src/client/client.ts';
import type { Database } from '../../src/platform/db/client.ts';
import { createFolderStorage } from '../../src/platform/storage/folder.ts';
import { findLeftFolders, findStrayObjects } from './check-files.ts';
import {
  checkArtifacts,
  checkDelivered,
  checkEnds,
  checkEvents,
  checkUsage,
  type EventCheck,
  knownKeys,
} from './check-records.ts';
import { judgeSlope, type MemorySlope, memorySlope } from './memory-slope.ts';
import type { SoakService } from './open-service.ts';
import { planSoak, type SoakSize, soakUsers } from './plan-soak.ts';
import { watchProcesses } from './processes.ts';
import { type ExportFigures, readExportFigures } from './read-figures.ts';
import type { SoakSample } from './sample.ts';
import { type Clocked, type SoakOptions, startSampling } from './sampling.ts';
import { createSending, type Sending } from './send-arrivals.ts';
import { waitUntil } from './wait-until.ts';

export interface SoakReport {
  readonly exports: ExportFigures;
  readonly accepted: number;
  readonly downloads: number;
  /** Of the arrival that was sent latest after its time. */
  readonly latestMs: number;
  /** From the first arrival to the last end. */
  readonly seconds: number;
  /** Exports that waited when the last had arrived, and seconds until they had ended. */
  readonly backlog: { readonly exports: number; readonly seconds: number };
  readonly samples: readonly SoakSample[];
  readonly slope: MemorySlope | null;
  readonly leftProcesses: readonly string[];
  readonly leftFolders: readonly string[];
  readonly events: EventCheck;
  /** Sentences; none: all is well. */
  readonly problems: readonly string[];
}

/** Longer than any render of it takes. */
const stalledMs = 300_000;
const deliveredWithinMs = 60_000;
const goneWithinMs = 10_000;

const countUnfinished = async (db: Database): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    SELECT (SELECT count(*) FROM export WHERE status IN ('queued', 'started'))
      + (SELECT coalesce(sum(greatest(1, total - planned)), 0) FROM batch_run WHERE closed_at IS NULL) AS count`.execute(
    db,
  );
  return Number(rows[0]?.count ?? 0);
};

/** Until everything that was sent has ended; false: nothing more has, for long. */
const untilQuiet = async (db: Database, sending: Sending): Promise<boolean> => {
  let answered = false;
  const settled = sending.settled().then(() => {
    answered = true;
  });
  let [last, changedAt] = [-1, performance.now()];
  for (;;) {
    const unfinished = await countUnfinished(db);
    if (unfinished === 0 && answered) return true;
    if (unfinished !== last) [last, changedAt] = [unfinished, performance.now()];
    if (performance.now() - changedAt > stalledMs) return false;
    await Promise.race([delay(500), ...(answered ? [] : [settled])]);
  }
};

interface Sent {
  readonly seconds: number;
  readonly backlog: SoakReport['backlog'];
  readonly stalled: boolean;
}

const sendAll = async (
  { db }: SoakService,
  size: SoakSize,
  sending: Sending,
  { elapsedMs }: Clocked,
): Promise<Sent> => {
  const { arrivals, long } = planSoak(size);
  await sending.send(arrivals, elapsedMs);
  const [exports, arrivedMs] = [await countUnfinished(db), elapsedMs()];
  let quiet = await untilQuiet(db, sending);
  const backlog = { exports, seconds: (elapsedMs() - arrivedMs) / 1000 };
  for (const video of long) {
    if (!quiet) break;
    await sending.send([{ ...video, atMs: elapsedMs() }], elapsedMs);
    quiet = await untilQuiet(db, sending);
  }
  return { seconds: elapsedMs() / 1000, backlog, stalled: !quiet };
};

const linesOf = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(Boolean);

/** Waits for the dispatcher, which comes after the commit. */
const untilDelivered = async ({ db, eventFile }: SoakService): Promise<EventCheck> => {
  let found: EventCheck = { missing: [], tooMany: [] };
  const look = async () => {
    found = await checkDelivered(db, await linesOf(eventFile));
    return found.missing.length === 0;
  };
  await waitUntil(look, { withinMs: deliveredWithinMs });
  return found;
};

const both = (one: EventCheck, other: EventCheck): EventCheck => ({
  missing: [...one.missing, ...other.missing],
  tooMany: [...one.tooMany, ...other.tooMany],
});

const problemOf = (work: Promise<void>): Promise<readonly string[]> =>
  work.then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  );

/** Ends the service. Rejects where the soak itself could not be made; then the caller stops the service. */
export const runSoak = async (
  service: SoakService,
  size: SoakSize,
  options: SoakOptions,
): Promise<SoakReport> => {
  const client = createClient(service);
  const { db, home } = service;
  const storage = createFolderStorage({ directory: join(home, 'storage') });
  await Promise.all(soakUsers.map((user) => client.putUser(user, { tier: 'unlimited' })));
  const watch = watchProcesses(join(home, '..'));
  const sending = createSending(client, join(home, '..', 'downloads'));
  const begun = performance.now();
  const elapsedMs = () => performance.now() - begun;
  const sampling = startSampling(service, watch, { ...options, elapsedMs });
  const sent = await sendAll(service, size, sending, { elapsedMs }).finally(sampling.end);

  const workerEnd = await problemOf(service.stopWorker());
  const events = both(await checkEvents(db), await untilDelivered(service));
  const exports = await readExportFigures(db);
  const slope = memorySlope(sampling.samples);
  const records = [
    ...(await checkEnds(db, sending.expected)),
    ...(await checkUsage(db)),
    ...(await checkArtifacts(db, storage)),
  ];
  const known = await knownKeys(db);

  const serviceEnd = await problemOf(service.stop());
  await waitUntil(async () => watch.left().length === 0, { withinMs: goneWithinMs });
  const leftProcesses = watch.left();
  const leftFolders = await findLeftFolders(service);
  const strays = await findStrayObjects(storage, known);
  return {
    exports,
    accepted: sending.expected.accepted,
    downloads: sending.downloads,
    latestMs: sending.latestMs,
    ...sent,
    samples: sampling.samples,
    slope,
    leftProcesses,
    leftFolders,
    events,
    problems: [
      ...(sent.stalled ? [`nothing has ended for ${stalledMs / 1000} s, and not everything has`] : []),
      ...sending.problems,
      ...workerEnd,
      ...records,
      ...events.missing,
      ...events.tooMany,
      ...judgeSlope(slope),
      ...serviceEnd,
      ...leftProcesses.map((one) => `left running: ${one}`),
      ...leftFolders.map((one) => `left in a folder: ${one}`),
      ...strays.map((one) => `stored, and in no record: ${one}`),
    ],
  };
};
