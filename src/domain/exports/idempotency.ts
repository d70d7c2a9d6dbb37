/**
 * Idempotency keys, for acceptances only: the key is written in the transaction of what it guards, so a refusal leaves none and a
 * concurrent duplicate waits on the unique index until the first has committed or rolled back.
 */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import { inParts } from '../../platform/db/in-parts.ts';
import { withoutTrace } from '../../platform/db/without-trace.ts';

export const idempotencyHours = 24;

export interface KeyScope {
  readonly organizationId: string;
  readonly route: string;
  readonly key: string;
}

export interface IdempotencyScope extends KeyScope {
  readonly requestHash: string;
}

/** Keys of objects sorted, so that the order in which a client happens to write them does not make another request. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, canonical(inner)]),
  );
};

export const canonicalJson = (value: unknown): string => JSON.stringify(canonical(value));

export const hashRequest = (body: unknown): string =>
  createHash('sha256').update(canonicalJson(body)).digest('hex');

/** As `hashRequest`, element by element of each list in the body: `pause` is awaited after each. */
export const hashLargeRequest = async (
  body: Readonly<Record<string, unknown>>,
  pause: () => Promise<void>,
): Promise<string> => {
  const hash = createHash('sha256');
  const names = Object.keys(body)
    .filter((name) => body[name] !== undefined)
    .sort();
  for (const [index, name] of names.entries()) {
    hash.update(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    const value = body[name];
    if (!Array.isArray(value)) hash.update(canonicalJson(value));
    else {
      hash.update('[');
      for (const [at, element] of value.entries()) {
        hash.update(`${at === 0 ? '' : ','}${canonicalJson(element)}`);
        await pause();
      }
      hash.update(']');
    }
  }
  return hash.update(names.length === 0 ? '{}' : '}').digest('hex');
};

/** False: it is another's. Waits for the end of one that is just being claimed. */
const claim = async (tx: Tx, scope: IdempotencyScope, now: Date): Promise<boolean> => {
  const expiresAt = new Date(now.getTime() + idempotencyHours * 3_600_000);
  const claimed = await sql`
    INSERT INTO idempotency_key (organization_id, route, key, request_hash, expires_at)
    VALUES (${scope.organizationId}, ${scope.route}, ${scope.key}, ${scope.requestHash}, ${expiresAt})
    ON CONFLICT (organization_id, route, key) DO UPDATE
      SET request_hash = excluded.request_hash, expires_at = excluded.expires_at, response = NULL
      WHERE idempotency_key.expires_at <= ${now}
    RETURNING key`.execute(tx);
  return claimed.rows.length > 0;
};

/** The answer that was given before, or null for the first one. Throws `idempotency_conflict` for another body. */
export const claimIdempotencyKey = async (
  tx: Tx,
  scope: IdempotencyScope,
  now: Date,
): Promise<Record<string, unknown> | null> => {
  if (await claim(tx, scope, now)) return null;
  const before = await tx
    .selectFrom('idempotency_key')
    .select(['request_hash', 'response'])
    .where('organization_id', '=', scope.organizationId)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .executeTakeFirstOrThrow();
  if (before.request_hash !== scope.requestHash) throw new RendermillError('idempotency_conflict');
  return before.response;
};

/**
 * As `claimIdempotencyKey`, and the key stays as free as it was: ahead of work that a replay can do without. The claim that counts is
 * that of the acceptance.
 */
export const findAnswer = (
  db: Database,
  scope: IdempotencyScope,
  now: Date,
): Promise<Record<string, unknown> | null> => withoutTrace(db, (tx) => claimIdempotencyKey(tx, scope, now));

/**
 * Whether a request would be answered as before, or as a conflict: for a refusal ahead of its body, of which there is no hash yet. Reads
 * only, and waits for nobody: a key that is just being claimed is not known before that has committed.
 */
export const isKnownKey = async (
  db: Database,
  { organizationId, route, key }: KeyScope,
  now: Date,
): Promise<boolean> => {
  const known = await db
    .selectFrom('idempotency_key')
    .select('key')
    .where('organization_id', '=', organizationId)
    .where('route', '=', route)
    .where('key', '=', key)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return known !== undefined;
};

export const storeAnswer = async (
  tx: Tx,
  scope: IdempotencyScope,
  answer: Record<string, unknown>,
): Promise<void> => {
  await tx
    .updateTable('idempotency_key')
    .set({ response: JSON.stringify(answer) })
    .where('organization_id', '=', scope.organizationId)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .execute();
};

export const dropExpiredKeys = async (db: Database, now: Date): Promise<void> => {
  await inParts((rows) =>
    sql`DELETE FROM idempotency_key WHERE expires_at <= ${now} AND ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_key WHERE expires_at <= ${now} LIMIT ${rows}))`.execute(db),
  );
};
