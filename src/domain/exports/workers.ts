/**
 * Who renders at this moment: a heartbeat of each worker, from which the feeder knows how short it may keep the queue. Written and
 * judged by the clock of the database alone: those of the machines differ, and nobody is gone because somebody else's is ahead.
 */
import { sql } from 'kysely';
import { type RenderMode, renderModes } from '../../core/exports.ts';
import type { Database, Reader } from '../../platform/db/client.ts';

export interface WorkerIdentity {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** What a worker can do at this moment. */
export interface WorkerState {
  /** Renders on its own machine at once; 0: it takes no new ones. */
  readonly concurrency: number;
  /** Lambda renders that it can watch at once. */
  readonly lambdaConcurrency: number;
  /** What it is set up for, also while it takes nothing. */
  readonly renderModes: readonly RenderMode[];
  /** Why it takes no new work; null: it does. */
  readonly paused: 'disk' | 'memory' | null;
}

/** A worker that has not been heard of for this long counts as gone. */
export const workerGoneAfterMs = 15_000;
const forgetAfterMs = 24 * 60 * 60 * 1000;

/** When the statement began. */
const databaseNow = sql<Date>`statement_timestamp()`;

/** Of a worker's row: not heard of for so long, in milliseconds. */
export const isSilentFor = (ms: number) =>
  sql<boolean>`worker.seen_at <= ${databaseNow} - ${ms} * interval '1 millisecond'`;

export const recordHeartbeat = async (
  db: Database,
  worker: WorkerIdentity,
  { concurrency, lambdaConcurrency, renderModes: modes, paused }: WorkerState,
): Promise<void> => {
  const state = {
    concurrency,
    lambda_concurrency: lambdaConcurrency,
    render_modes: [...modes],
    paused,
    seen_at: databaseNow,
  };
  await db
    .insertInto('worker')
    .values({ ...worker, ...state, started_at: databaseNow })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(state))
    .execute();
};

export const removeWorker = async (db: Database, id: string): Promise<void> => {
  await db
    .deleteFrom('worker')
    .where((row) => row.or([row('id', '=', id), isSilentFor(forgetAfterMs)]))
    .execute();
};

const isLive = sql<boolean>`NOT ${isSilentFor(workerGoneAfterMs)}`;

const sumOfLive = async (db: Reader, column: 'concurrency' | 'lambda_concurrency'): Promise<number> => {
  const row = await db
    .selectFrom('worker')
    .select((select) => select.fn.coalesce(select.fn.sum<number>(column), select.lit(0)).as('sum'))
    .where(isLive)
    .executeTakeFirst();
  return Number(row?.sum ?? 0);
};

/** Renders that all live workers together can run at once on their own machines. */
export const liveCapacity = (db: Reader): Promise<number> => sumOfLive(db, 'concurrency');

/** Lambda renders that all live workers together can watch at once. */
export const liveLambdaCapacity = (db: Reader): Promise<number> => sumOfLive(db, 'lambda_concurrency');

/** Live workers that serve each mode; those that are paused serve it as well: they go on by themselves. */
export const countServing = async (
  db: Reader,
): Promise<readonly { readonly renderMode: RenderMode; readonly workers: number }[]> => {
  const { rows } = await sql<{ renderMode: RenderMode; workers: number }>`
    SELECT mode AS "renderMode", count(worker.id)::int AS workers
    FROM unnest(${[...renderModes]}::text[]) AS mode LEFT JOIN worker ON mode = ANY(worker.render_modes) AND ${isLive}
    GROUP BY mode ORDER BY mode`.execute(db);
  return rows;
};

export const servedModes = async (db: Reader): Promise<ReadonlySet<RenderMode>> => {
  const serving = await countServing(db);
  return new Set(serving.filter(({ workers }) => workers > 0).map(({ renderMode }) => renderMode));
};

export const workerStates = ['rendering', 'idle', 'paused_disk', 'paused_memory'] as const;

/** Live workers by what they do; those that take no new work count as paused while they finish what they have. */
export const countWorkers = async (
  db: Reader,
): Promise<Readonly<Record<(typeof workerStates)[number], number>>> => {
  const { rows } = await sql<{ state: (typeof workerStates)[number]; count: number }>`
    SELECT CASE WHEN paused IS NOT NULL THEN 'paused_' || paused WHEN worker.id IN (
        SELECT worker_id FROM export WHERE status = 'started' AND fed_at IS NOT NULL
        UNION ALL
        SELECT worker_id FROM render_chunk WHERE status = 'started' AND fed_at IS NOT NULL
      ) THEN 'rendering' ELSE 'idle' END AS state, count(*)::int AS count
    FROM worker WHERE ${isLive} GROUP BY 1`.execute(db);
  const counts = { rendering: 0, idle: 0, paused_disk: 0, paused_memory: 0 };
  for (const { state, count } of rows) counts[state] = count;
  return counts;
};
