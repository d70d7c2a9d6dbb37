import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Tx } from '../../platform/db/client.ts';
import { emitAll } from '../events/emit.ts';
import { keyOf } from './person-key.ts';

export interface LinkRequest {
  readonly organizationId: string;
  readonly distinctId: string;
  readonly userId: string;
  /** What said so. */
  readonly method: 'login_success' | 'identify';
  readonly at: Date;
}

export interface Linked {
  /** Whose visitor it is, which may be another user than the one asked for. */
  readonly userId: string;
  /** True for the one call, ever, that linked it. */
  readonly isNew: boolean;
}

const insertLinks = async (tx: Tx, requests: readonly LinkRequest[]): Promise<ReadonlySet<string>> => {
  const { rows } = await sql<{ organizationId: string; distinctId: string }>`
    INSERT INTO identity_link (organization_id, distinct_id, user_id, linked_at)
    SELECT "organizationId", "distinctId", "userId", at
    FROM jsonb_to_recordset(${JSON.stringify(requests)}::jsonb) AS row (
      "organizationId" text, "distinctId" text, "userId" text, at timestamptz)
    ORDER BY "organizationId", "distinctId"
    ON CONFLICT DO NOTHING
    RETURNING organization_id AS "organizationId", distinct_id AS "distinctId"`.execute(tx);
  return new Set(rows.map((row) => keyOf(row.organizationId, row.distinctId)));
};

const readLinks = async (tx: Tx, requests: readonly LinkRequest[]): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await sql<{ organizationId: string; distinctId: string; userId: string }>`
    SELECT organization_id AS "organizationId", distinct_id AS "distinctId", user_id AS "userId" FROM identity_link
    WHERE (organization_id, distinct_id) IN (
      SELECT * FROM unnest(${requests.map((one) => one.organizationId)}::text[], ${requests.map((one) => one.distinctId)}::text[]))`.execute(
    tx,
  );
  return new Map(rows.map((row) => [keyOf(row.organizationId, row.distinctId), row.userId]));
};

const tellOfLinks = (tx: Tx, links: readonly LinkRequest[]): Promise<number> =>
  emitAll(
    tx,
    links.map(({ organizationId, distinctId, userId, method, at }) => ({
      name: 'identity_linked' as const,
      organizationId,
      source: 'server' as const,
      occurredAt: at,
      userId,
      distinctId,
      entity: { type: 'visitor', id: distinctId },
      properties: { distinct_id: distinctId, method },
    })),
  );

/**
 * Links each visitor to the user, unless it belongs to one: then it stays with that one. Of two transactions that link the same
 * visitor one waits for the other, and finds it taken. Each new link is told of in the log, once. By `keyOf` of the visitor.
 */
export const linkVisitors = async (
  tx: Tx,
  requests: readonly LinkRequest[],
): Promise<ReadonlyMap<string, Linked>> => {
  if (requests.length === 0) return new Map();
  const firsts = new Map<string, LinkRequest>();
  for (const request of requests) {
    const key = keyOf(request.organizationId, request.distinctId);
    if (!firsts.has(key)) firsts.set(key, request);
  }
  const asked = [...firsts.values()];
  const inserted = await insertLinks(tx, asked);
  await tellOfLinks(
    tx,
    asked.filter((one) => inserted.has(keyOf(one.organizationId, one.distinctId))),
  );
  // A statement of its own: only then it sees the link of a transaction that this one has waited for.
  const links = await readLinks(tx, asked);
  return new Map([...links].map(([key, userId]) => [key, { userId, isNew: inserted.has(key) }]));
};

/** As `linkVisitors`, for one. Throws `visitor_taken` where it belongs to another user. */
export const linkVisitor = async (tx: Tx, request: LinkRequest): Promise<Linked> => {
  const links = await linkVisitors(tx, [request]);
  const linked = links.get(keyOf(request.organizationId, request.distinctId));
  if (linked?.userId === request.userId) return linked;
  throw new RendermillError('visitor_taken', {
    message:
      'The visitor belongs to another user, for ever. Give the browser a new distinct_id when another user logs in.',
  });
};
