import { sql } from 'kysely';
import type { RenderMode } from '../../core/exports.ts';
import type { WaitingWork } from '../../core/plan-feed.ts';
import type { Tx } from '../../platform/db/client.ts';

interface OrderedWork extends WaitingWork {
  readonly priority: number;
  readonly lineOrder: number;
}

interface Asked {
  readonly mode: RenderMode;
  readonly perLine: number;
  readonly now: Date;
}

/**
 * The heads of every line, of each organization and tier: by priority, then by age. The lines are found by hopping over the index,
 * not by reading them. On Lambda every picture has a function of its own, so nothing goes together there.
 */
const waitingExports = async (tx: Tx, { mode, perLine, now }: Asked): Promise<readonly OrderedWork[]> => {
  const { rows } = await sql<OrderedWork>`
    WITH RECURSIVE line AS (
      (SELECT organization_id, tier FROM export
        WHERE render_mode = ${mode} AND status IN ('queued', 'started') AND fed_at IS NULL
        ORDER BY organization_id, tier LIMIT 1)
      UNION ALL
      SELECT next.organization_id, next.tier FROM line CROSS JOIN LATERAL (
        SELECT organization_id, tier FROM export
        WHERE render_mode = ${mode} AND status IN ('queued', 'started') AND fed_at IS NULL
          AND (organization_id, tier) > (line.organization_id, line.tier)
        ORDER BY organization_id, tier LIMIT 1
      ) AS next
    )
    SELECT 'export' AS kind, head.id, head.organization_id AS "organizationId", head.tier, head.priority,
      head.priority = 0 AS "isInteractive", head.created_at AS "createdAt", head.line_order AS "lineOrder",
      ${mode === 'local' ? sql`head.group_key` : sql`NULL`} AS "groupKey",
      head.attempt - head.hand_backs + 2 * head.failed_attempts AS setbacks
    FROM line CROSS JOIN LATERAL (
      SELECT id, organization_id, tier, priority, created_at, line_order, group_key, attempt, hand_backs, failed_attempts
      FROM export
      WHERE render_mode = ${mode} AND organization_id = line.organization_id AND tier = line.tier
        AND status IN ('queued', 'started') AND fed_at IS NULL AND (not_before IS NULL OR not_before <= ${now})
      ORDER BY priority, created_at, line_order, id LIMIT ${perLine}
    ) AS head`.execute(tx);
  return rows;
};

/** Few: a video is cut only while slots are idle. */
const waitingChunks = async (tx: Tx, { mode, perLine }: Asked): Promise<readonly OrderedWork[]> => {
  const { rows } = await sql<OrderedWork>`
    SELECT 'chunk' AS kind, render_chunk.id, render_chunk.organization_id AS "organizationId", tier, priority,
      priority = 0 AS "isInteractive", export.created_at AS "createdAt", number AS "lineOrder", NULL AS "groupKey",
      render_chunk.attempt - render_chunk.hand_backs + 2 * render_chunk.failed_attempts AS setbacks
    FROM render_chunk JOIN export ON export.id = export_id
    WHERE render_chunk.status <> 'done' AND render_chunk.fed_at IS NULL AND render_mode = ${mode}
    ORDER BY priority, export.created_at, export_id, number LIMIT ${perLine}`.execute(tx);
  return rows;
};

const inOrder = (a: OrderedWork, b: OrderedWork): number =>
  a.priority - b.priority ||
  a.createdAt.getTime() - b.createdAt.getTime() ||
  a.lineOrder - b.lineOrder ||
  (a.id < b.id ? -1 : 1);

/** What waits, of each organization at most `perLine` for each of its tiers, in the order in which it is to run. */
export const headsOfLines = async (tx: Tx, asked: Asked): Promise<readonly WaitingWork[]> => {
  const work = [...(await waitingExports(tx, asked)), ...(await waitingChunks(tx, asked))];
  return work.toSorted(inOrder);
};
