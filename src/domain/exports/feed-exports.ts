/** The line of waiting work, and which of it goes into the queue next; the choice itself is made by planFeed. */
import { sql } from 'kysely';
import type { RenderMode } from '../../core/exports.ts';
import { newId } from '../../core/ids.ts';
import { maxGroup, type PlannedJob, planFeed } from '../../core/plan-feed.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import { planChunkJobs } from './chunks/feed-chunks.ts';
import type { FedJob, FedWork } from './fed-work.ts';
import { jobsInFlight } from './jobs-in-flight.ts';
import { readCaps } from './tier-caps.ts';
import { waitingStatus } from './waiting-status.ts';
import { headsOfLines } from './waiting-work.ts';

/** One feeder of a mode plans at a time; a second one that comes along has nothing to do. */
const takeFeederLock = async (tx: Tx, mode: RenderMode): Promise<boolean> => {
  const { rows } = await sql<{ taken: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext(${`rendermill:feeder:${mode}`})) AS taken`.execute(tx);
  return rows[0]?.taken ?? false;
};

export interface FeedRoom {
  readonly mode: RenderMode;
  /** Jobs that may be on their way: in the queue or at a worker. */
  readonly inFlight: number;
  /** What all workers can render at once. */
  readonly slots: number;
}

/**
 * Plans until `inFlight` jobs are on their way, and up to `slots` more that nothing of their organization goes before: the epoch of
 * each grows, which makes the new job's id and refuses whatever an older job still does. Null when another feeder is at work.
 */
export const planNext = (db: Database, given: FeedRoom, now: Date): Promise<readonly FedJob[] | null> =>
  db.transaction().execute(async (tx) => {
    if (!(await takeFeederLock(tx, given.mode))) return null;
    const inFlight = await jobsInFlight(tx, given.mode);
    const busy = inFlight.reduce((sum, { jobs }) => sum + jobs, 0);
    const room = Math.max(0, given.inFlight - busy);
    const express = Math.max(0, given.inFlight + given.slots - busy - room);
    if (room + express === 0) return [];
    const waiting = await headsOfLines(tx, { mode: given.mode, perLine: lookAt(given, room), now });
    if (waiting.length === 0) return [];
    const capOf = await readCaps(tx, waiting);
    const jobs = planFeed({ waiting, inFlight, capOf, room, express, slots: given.slots });
    const exports = await planExportJobs(tx, jobs, now);
    const chunks = await planChunkJobs(tx, jobs, now);
    // In the order of the plan, whatever the order in which the rows were written.
    const byId = new Map([...exports, ...chunks].map((one) => [one.id, one]));
    return jobs.flatMap(({ ids, priority }) =>
      ids.flatMap((id) => {
        const fed = byId.get(id);
        return fed === undefined ? [] : [{ ...fed, priority }];
      }),
    );
  });

/** However long the lines are: a round must be short, and another follows. */
const mostPerLine = 2_000;

/** More than there is room for: how large a group may be depends on how much is left after it. */
const lookAt = ({ mode, slots }: FeedRoom, room: number): number => {
  const perJob = mode === 'local' ? maxGroup : 1;
  return room === 0 ? perJob : Math.min(mostPerLine, (room + slots) * perJob);
};

const planExportJobs = async (
  tx: Tx,
  jobs: readonly PlannedJob[],
  now: Date,
): Promise<readonly FedWork[]> => {
  const chosen = jobs
    .filter(({ kind }) => kind === 'export')
    .flatMap(({ ids, isGroup }) => {
      const groupId = isGroup ? newId(now) : null;
      return ids.map((id) => ({ id, group_id: groupId }));
    });
  if (chosen.length === 0) return [];
  const { rows } = await sql<FedWork>`
    UPDATE export SET epoch = epoch + 1, group_id = held.group_id, fed_at = ${now}, updated_at = ${now}
    FROM (
      SELECT export.id, chosen.group_id FROM jsonb_to_recordset(${JSON.stringify(chosen)}::jsonb) AS chosen (id uuid, group_id uuid)
      JOIN export ON export.id = chosen.id
      WHERE status IN ('queued', 'started') AND fed_at IS NULL ORDER BY export.id FOR UPDATE OF export
    ) AS held
    WHERE export.id = held.id
    RETURNING 'export' AS kind, export.id, epoch, export.group_id AS "groupId"`.execute(tx);
  return rows;
};

/** Planned at least `ageMs` ago and not at an end: each must have a job in the queue. A cut video has none before its join. */
export const plannedExports = async (
  db: Database,
  given: { mode: RenderMode; ageMs: number; limit: number },
  now: Date,
): Promise<readonly FedWork[]> => {
  const { rows } = await sql<FedWork>`
    SELECT 'export' AS kind, id, epoch, group_id AS "groupId" FROM export
    WHERE status IN ('queued', 'started') AND fed_at < ${new Date(now.getTime() - given.ageMs)}
      AND render_mode = ${given.mode} AND (chunks IS NULL OR chunks_done = chunks)
    ORDER BY fed_at LIMIT ${given.limit}`.execute(db);
  return rows;
};

/** The queue has lost these jobs: back into the line, unless someone planned or ended them meanwhile. */
export const replan = async (db: Database, lost: readonly FedWork[], now: Date): Promise<number> => {
  const pairs = lost.map((one) => sql`(${one.id}::uuid, ${one.epoch}::int)`);
  if (pairs.length === 0) return 0;
  const result = await sql`
    UPDATE export SET status = ${waitingStatus}, fed_at = NULL, group_id = NULL, worker_id = NULL, updated_at = ${now}
    WHERE id IN (SELECT id FROM export WHERE (id, epoch) IN (${sql.join(pairs)}) AND status IN ('queued', 'started')
      ORDER BY id FOR UPDATE)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
};
