/** Who renders at this moment: a heartbeat of each worker, from which the feeder knows how short it may keep the queue. */
import { type SqlBool, sql } from 'kysely';
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

export const recordHeartbeat = async (
  db: Database,
  worker: WorkerIdentity,
  { concurrency, lambdaConcurrency, renderModes: modes, paused }: WorkerState,
  now: Date,
): Promise<void> => {
  const state = {
    concurrency,
    lambda_concurrency: lambdaConcurrency,
    render_modes: [...modes],
    paused,
    seen_at: now,
  };
  await db
    .insertInto('worker')
    .values({ ...worker, ...state, started_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(state))
    .execute();
};

export const removeWorker = async (db: Database, id: string, now: Date): Promise<void> => {
  await db
    .deleteFrom('worker')
    .where((row) =>
      row.or([row('id', '=', id), row('seen_at', '<', new Date(now.getTime() - forgetAfterMs))]),
    )
    .execute();
};

const isLive = (now: Date) => sql<SqlBool>`worker.seen_at > ${new Date(now.getTime() - workerGoneAfterMs)}`;

const sumOfLive = async (
  db: Reader,
  column: 'concurrency' | 'lambda_concurrency',
  now: Date,
): Promise<number> => {
  const row = await db
    .selectFrom('worker')
    .select((select) => select.fn.coalesce(select.fn.sum<number>(column), select.lit(0)).as('sum'))
    .where(isLive(now))
    .executeTakeFirst();
  return Number(row?.sum ?? 0);
};

/** Renders that all live workers together can run at once on their own machines. */
export const liveCapacity = (db: Reader, now: Date): Promise<number> => sumOfLive(db, 'concurrency', now);

/** Lambda renders that all live workers together can watch at once. */
export const liveLambdaCapacity = (db: Reader, now: Date): Promise<number> =>
  sumOfLive(db, 'lambda_concurrency', now);

/** Live workers that serve each mode; those that are paused serve it as well: they go on by themselves. */
export const countServing = async (
  db: Reader,
  now: Date,
): Promise<readonly { readonly renderMode: RenderMode; readonly workers: number }[]> => {
  const { rows } = await sql<{ renderMode: RenderMode; workers: number }>`
    SELECT mode AS "renderMode", count(worker.id)::int AS workers
    FROM unnest(${[...renderModes]}::text[]) AS mode LEFT JOIN worker ON mode = ANY(worker.render_modes) AND ${isLive(now)}
    GROUP BY mode ORDER BY mode`.execute(db);
  return rows;
};

export const servedModes = async (db: Reader, now: Date): Promise<ReadonlySet<RenderMode>> => {
  const serving = await countServing(db, now);
  return new Set(serving.filter(({ workers }) => workers > 0).map(({ renderMode }) => renderMode));
};

export const workerStates = ['rendering', 'idle', 'paused_disk', 'paused_memory'] as const;

/** Live workers by what they do; those that take no new work count as paused while they finish what they have. */
export const countWorkers = async (
  db: Reader,
  now: Date,
): Promise<Readonly<Record<(typeof workerStates)[number], number>>> => {
  const { rows } = await sql<{ state: (typeof workerStates)[number]; count: number }>`
    SELECT CASE WHEN paused IS NOT NULL THEN 'paused_' || paused WHEN worker.id IN (
        SELECT worker_id FROM export WHERE status = 'started' AND fed_at IS NOT NULL
        UNION ALL
        SELECT worker_id FROM render_chunk WHERE status = 'started' AND fed_at IS NOT NULL
      ) THEN 'rendering' ELSE 'idle' END AS state, count(*)::int AS count
    FROM worker WHERE ${isLive(now)} GROUP BY 1`.execute(db);
  const counts = { rendering: 0, idle: 0, paused_disk: 0, paused_memory: 0 };
  for (const { state, count } of rows) counts[state] = count;
  return counts;
};
