/** The records of a soak that is over, read as they are. Each check answers with a sentence per offence. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import type { Reader } from '../../src/platform/db/client.ts';
import type { Storage } from '../../src/platform/storage/contract.ts';

/** What the client knows of its own requests. */
export interface Expected {
  /** Exports that were accepted, cells of campaigns included. */
  readonly accepted: number;
  readonly toFail: ReadonlySet<string>;
  readonly toCancel: ReadonlySet<string>;
}

interface End {
  readonly id: string;
  readonly status: string;
  readonly error: string | null;
}

const judgeEnd = ({ id, status, error }: End, { toFail, toCancel }: Expected): string | null => {
  if (toFail.has(id)) return status === 'failed' ? null : `export ${id} is ${status}, and was made to fail`;
  // A cancel may come after the end.
  if (status === 'completed' || (status === 'canceled' && toCancel.has(id))) return null;
  return `export ${id} is ${status}${error === null ? '' : `: ${error}`}`;
};

/** Every accepted export is there, and at the end that was to be expected. */
export const checkEnds = async (db: Reader, expected: Expected): Promise<readonly string[]> => {
  const { rows } = await sql<End>`
    SELECT id::text, status, error_code || ', ' || error_text AS error FROM export`.execute(db);
  const { rows: chunks } = await sql<{
    id: string;
  }>`SELECT DISTINCT export_id::text AS id FROM render_chunk`.execute(db);
  const count =
    rows.length === expected.accepted ? [] : [`${rows.length} exports of ${expected.accepted} accepted`];
  return [
    ...count,
    ...rows.map((row) => judgeEnd(row, expected)).filter((problem) => problem !== null),
    ...chunks.map(({ id }) => `chunks of export ${id} are left`),
  ];
};

export interface EventCheck {
  /** Sentences. */
  readonly missing: readonly string[];
  /** Recorded twice, or of an export that did not end like that. */
  readonly tooMany: readonly string[];
}

/** One of each that an export's life has, and none that it has not. */
export const checkEvents = async (db: Reader): Promise<EventCheck> => {
  const { rows } = await sql<{ id: string; name: string; count: number; due: boolean }>`
    WITH due AS (
      SELECT id::text, unnest(array['job_created'] || CASE status
        WHEN 'completed' THEN array['processing_completed', 'video_rendered']
        WHEN 'failed' THEN array['processing_failed']
        WHEN 'canceled' THEN array['job_canceled'] ELSE array[]::text[] END) AS name FROM export
      UNION ALL SELECT DISTINCT user_id, 'first_render_completed' FROM export WHERE status = 'completed'
    ), found AS (
      SELECT CASE event_name WHEN 'first_render_completed' THEN user_id ELSE entity_id END AS id, event_name AS name,
        count(*)::int AS count
      FROM domain_event WHERE event_name IN ('job_created', 'processing_completed', 'video_rendered', 'processing_failed',
        'job_canceled', 'first_render_completed')
      GROUP BY 1, 2
    )
    SELECT coalesce(due.id, found.id) AS id, coalesce(due.name, found.name) AS name, coalesce(count, 0) AS count,
      due.id IS NOT NULL AS due
    FROM due FULL JOIN found ON found.id = due.id AND found.name = due.name
    WHERE count IS DISTINCT FROM 1 OR due.id IS NULL`.execute(db);
  return {
    missing: rows.filter(({ count }) => count === 0).map(({ id, name }) => `${name} of ${id} is missing`),
    tooMany: rows
      .filter(({ count }) => count > 0)
      .map(
        ({ id, name, count, due }) => `${name} of ${id} is there ${count} times${due ? '' : ', and not due'}`,
      ),
  };
};

/** `lines`: what a sink was given, an event of JSON in each. */
export const checkDelivered = async (db: Reader, lines: readonly string[]): Promise<EventCheck> => {
  const { rows } = await sql<{ id: string }>`SELECT id::text FROM domain_event`.execute(db);
  const counts = new Map<string, number>();
  for (const line of lines) {
    const { id } = JSON.parse(line) as { id: string };
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return {
    missing: rows.filter(({ id }) => !counts.has(id)).map(({ id }) => `event ${id} was not delivered`),
    tooMany: [...counts].filter(([, count]) => count > 1).map(([id]) => `event ${id} was delivered twice`),
  };
};

/** What users are charged is what they got: accepted less failed less canceled, day by day. */
export const checkUsage = async (db: Reader): Promise<readonly string[]> => {
  const { rows } = await sql<{ who: string; charged: number; owed: number }>`
    WITH owed AS (
      SELECT organization_id, user_id, charged_day AS day, count(*) FILTER (WHERE status NOT IN ('failed', 'canceled')) AS owed
      FROM export GROUP BY 1, 2, 3
    )
    SELECT concat_ws(' ', organization_id, user_id, day) AS who, coalesce(used, 0)::int AS charged, coalesce(owed, 0)::int AS owed
    FROM owed FULL JOIN usage_day USING (organization_id, user_id, day)
    WHERE coalesce(used, 0) <> coalesce(owed, 0)`.execute(db);
  return rows.map(({ who, charged, owed }) => `${who}: charged ${charged}, owed ${owed}`);
};

interface Artifact {
  readonly id: string;
  readonly status: string;
  readonly key: string | null;
  readonly size: number | null;
  readonly sha256: string | null;
}

const judgeFile = async (storage: Pick<Storage, 'read'>, artifact: Artifact): Promise<string | null> => {
  const { id, status, key, size, sha256 } = artifact;
  if (key === null) return `export ${id} is completed and has no file`;
  if (status !== 'completed') return `export ${id} is ${status} and has a file`;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(await storage.read(key), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    });
  } catch (error) {
    return `${key} cannot be read: ${error instanceof Error ? error.message : error}`;
  }
  return bytes === size && hash.digest('hex') === sha256 ? null : `${key} is not what was recorded`;
};

/** Every completed export has its file, byte for byte, and no other has one. */
export const checkArtifacts = async (
  db: Reader,
  storage: Pick<Storage, 'read'>,
): Promise<readonly string[]> => {
  const { rows } = await sql<Artifact>`
    SELECT export.id::text, status, storage_key AS key, size_in_bytes AS size, sha256
    FROM export LEFT JOIN artifact ON export_id = export.id
    WHERE status = 'completed' OR storage_key IS NOT NULL`.execute(db);
  const problems: string[] = [];
  for (const row of rows) {
    const problem = await judgeFile(storage, row);
    if (problem !== null) problems.push(problem);
  }
  return problems;
};

/** Of everything in storage that a record names. */
export const knownKeys = async (db: Reader): Promise<ReadonlySet<string>> => {
  const { rows } = await sql<{ key: string }>`
    SELECT storage_key AS key FROM artifact UNION SELECT storage_key FROM bundle`.execute(db);
  return new Set(rows.map(({ key }) => key));
};
