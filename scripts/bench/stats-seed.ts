/** A year of exports of one organization, as its users, projects, formats and hours are never equally busy. */
import { type RawBuilder, sql } from 'kysely';
import { foldDeltas } from '../../src/domain/statistics/fold-deltas.ts';
import type { Database } from '../../src/platform/db/client.ts';

export const organizationId = 'bench';
const users = 5_000;
const projects = 300;
const days = 365;
const chunk = 10_000;
/** Of the exports, those that are written as queued and end by an update, as all real ones do; the others come with their end. */
const endedByUpdate = 0.1;

/** Folds while it writes, as a worker does. Seconds that it took, and deltas that were folded. */
export const seed = async (db: Database, count: number): Promise<{ seconds: number; deltas: number }> => {
  const start = performance.now();
  await sql`INSERT INTO end_user (organization_id, id, tier)
    SELECT ${organizationId}, 'user-' || n, 'unlimited' FROM generate_series(0, ${users - 1}) AS n`.execute(
    db,
  );
  await sql`INSERT INTO project (organization_id, id)
    SELECT ${organizationId}, 'project-' || n FROM generate_series(0, ${projects - 1}) AS n`.execute(db);
  let folding = Promise.resolve(0);
  let deltas = 0;
  for (let first = 0; first < count; first += chunk) {
    const live = first >= count * (1 - endedByUpdate);
    await insertExports(db, { first, size: Math.min(chunk, count - first), count, live });
    if (live) await endExports(db);
    deltas += await folding;
    folding = foldDeltas(db);
  }
  deltas += await folding;
  return { seconds: (performance.now() - start) / 1000, deltas };
};

/** For what `changed` returned as completed. The real triggers count both. */
const artifacts = sql`
  INSERT INTO artifact (file_id, organization_id, export_id, storage_key, size_in_bytes, sha256, media_type, width, height,
    duration_seconds, created_at)
  SELECT gen_random_uuid(), ${organizationId}, id, 'artifacts/' || id, 10000 + floor(random() * 5e6), repeat('ab', 32),
    'image/png', 1080, 1080, duration, completed_at
  FROM changed WHERE status = 'completed'`;

/** 0 to 0.999…, dense at 0: the first of n gets the share (1 / n) ^ (1 / power). */
const skewed = (power: number): RawBuilder<number> => sql`power(random(), ${power}::float8)`;

const insertExports = async (
  db: Database,
  { first, size, count, live }: { first: number; size: number; count: number; live: boolean },
): Promise<void> => {
  await sql`
    WITH changed AS (INSERT INTO export (id, organization_id, user_id, project_id, kind, format, render_mode, status, composition_id, version,
      request, width, height, tier, charged_day, charged_hour, created_at, updated_at, completed_at, cached, duration, render_ms)
    SELECT uuidv7(made.at - clock_timestamp()), ${organizationId}, user_id, project_id,
      CASE WHEN format IN ('mp4', 'webm', 'gif') THEN 'video' ELSE 'still' END, format, 'local',
      CASE WHEN ${live} THEN 'queued' ELSE status END, 'hero-ad', '00112233aabbccdd',
      '{"props": {"title": "Half price on everything", "colour": "red"}}', 1080, 1080, 'unlimited',
      (made.at AT TIME ZONE 'UTC')::date, extract(hour FROM made.at AT TIME ZONE 'UTC'), made.at, made.at + interval '9 s',
      CASE WHEN status = 'completed' AND NOT ${live} THEN made.at + interval '9 s' END,
      CASE WHEN status = 'completed' AND NOT ${live} THEN random() < 0.1 ELSE false END,
      CASE WHEN format IN ('mp4', 'webm', 'gif') THEN ceil(random() * 900) / 30 END,
      CASE WHEN status = 'completed' AND NOT ${live} THEN 80 + random() * 9000 END
    FROM (
      SELECT 'user-' || floor(${users}::int * ${skewed(3)}) AS user_id,
        'project-' || floor(${projects}::int * ${skewed(2)}) AS project_id,
        (ARRAY['png', 'mp4', 'jpeg', 'webp', 'gif', 'webm'])[1 + floor(6 * ${skewed(2)})] AS format,
        CASE WHEN dice < 0.97 THEN 'completed' WHEN dice < 0.995 THEN 'failed' ELSE 'canceled' END AS status,
        date_trunc('day', now()) - make_interval(days => ${days - 1} - floor(n::float8 / ${count} * ${days})::int)
          + interval '23.9 h' * ((random() + random() + random()) / 3) AS at
      FROM (SELECT n, random() AS dice FROM generate_series(${first}::int, ${first + size - 1}::int) AS n) AS rolled
    ) AS made RETURNING id, status, duration, completed_at)
    ${artifacts}`.execute(db);
};

const endExports = async (db: Database): Promise<void> => {
  await sql`
    WITH changed AS (UPDATE export SET status = CASE WHEN dice < 0.97 THEN 'completed' WHEN dice < 0.995 THEN 'failed' ELSE 'canceled' END,
      completed_at = CASE WHEN dice < 0.97 THEN created_at + interval '9 s' END,
      cached = dice < 0.097, render_ms = CASE WHEN dice < 0.97 THEN 80 + dice * 9000 END
    FROM (SELECT id AS rolled_id, random() AS dice FROM export WHERE status = 'queued') AS rolled
    WHERE id = rolled_id RETURNING id, status, duration, completed_at)
    ${artifacts}`.execute(db);
};
