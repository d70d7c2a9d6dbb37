/** For an operator: what waits and what runs, by where it renders. */
import { sql } from 'kysely';
import { type RenderMode, renderModes } from '../../core/exports.ts';
import type { Reader } from '../../platform/db/client.ts';
import { jobsInFlight } from './jobs-in-flight.ts';
import { readCaps } from './tier-caps.ts';

export interface LineFigures {
  readonly renderMode: RenderMode;
  /** Exports, and cells of batches that are no exports yet, counted up to `mostCounted`. */
  readonly waiting: number;
  readonly running: number;
  /** Seconds since the oldest of those that wait, as far as they were counted, was accepted. */
  readonly oldestSeconds: number;
}

/** A page of metrics must not read a line of millions. */
export const mostCounted = 100_000;

export const lineFigures = async (db: Reader, now: Date): Promise<readonly LineFigures[]> => {
  const { rows } = await sql<LineFigures>`
    SELECT mode AS "renderMode", coalesce(sum(waiting), 0)::int AS waiting, coalesce(sum(running), 0)::int AS running,
      coalesce(greatest(0, extract(epoch FROM ${now}::timestamptz - min(since))), 0)::float8 AS "oldestSeconds"
    FROM unnest(${[...renderModes]}::text[]) AS mode LEFT JOIN LATERAL (
      SELECT count(*) AS waiting, 0 AS running, min(created_at) AS since FROM (
        SELECT created_at FROM export
        WHERE render_mode = mode AND status IN ('queued', 'started') AND fed_at IS NULL LIMIT ${mostCounted}
      ) AS line
      UNION ALL
      SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'started'),
        min(created_at) FILTER (WHERE status = 'queued')
      FROM export WHERE render_mode = mode AND status IN ('queued', 'started') AND fed_at IS NOT NULL
      UNION ALL
      SELECT sum(total - planned), 0, min(batch_run.created_at) FROM batch_run JOIN batch ON batch.id = batch_id
      WHERE render_mode = mode AND due AND cancel_requested_at IS NULL AND planned < total
    ) AS part ON true
    GROUP BY mode ORDER BY mode`.execute(db);
  return rows;
};

/** Of the videos that are cut and have not ended. */
export const countChunks = async (db: Reader): Promise<Readonly<Record<string, number>>> => {
  const { rows } = await sql<{ status: string; count: number }>`
    SELECT status, count(*)::int AS count FROM render_chunk GROUP BY 1`.execute(db);
  return {
    waiting: 0,
    started: 0,
    done: 0,
    ...Object.fromEntries(rows.map((row) => [row.status, row.count])),
  };
};

/** How many wait whose organization has as many jobs of their tier in flight as that tier allows; counted up to `mostCounted`. */
export const countCapped = async (db: Reader, mode: RenderMode): Promise<number> => {
  const inFlight = new Map<
    string,
    { organizationId: string; tier: string; jobs: number; cap: number | null }
  >();
  const running = await jobsInFlight(db, mode);
  if (running.length === 0) return 0;
  const capOf = await readCaps(db, running);
  for (const { organizationId, tier, jobs } of running) {
    const key = `${organizationId}\n${tier}`;
    const before = inFlight.get(key)?.jobs ?? 0;
    inFlight.set(key, { organizationId, tier, jobs: before + jobs, cap: capOf(organizationId, tier) });
  }
  const full = [...inFlight.values()].filter(({ jobs, cap }) => cap !== null && jobs >= cap);
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM (
      SELECT FROM jsonb_to_recordset(${JSON.stringify(full)}::jsonb) AS line ("organizationId" text, tier text)
      JOIN export ON export.organization_id = line."organizationId" AND export.tier = line.tier
      WHERE render_mode = ${mode} AND status IN ('queued', 'started') AND fed_at IS NULL LIMIT ${mostCounted}
    ) AS capped`.execute(db);
  return rows[0]?.count ?? 0;
};
