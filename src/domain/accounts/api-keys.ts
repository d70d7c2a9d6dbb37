/** API keys: 256 random bits, so a plain SHA-256 is enough to keep; the key itself is shown once and never stored. */
import { createHash, randomBytes } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';
import { isUuid, newId } from '../../core/ids.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';

export const keyKinds = ['secret', 'publishable', 'admin'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** Who a request speaks for. */
export interface Principal {
  readonly organizationId: string;
  readonly keyId: string;
  readonly kind: KeyKind;
}

const prefixOf: Readonly<Record<KeyKind, string>> = {
  secret: 'rm_sk_',
  publishable: 'rm_pk_',
  admin: 'rm_ak_',
};
const keyPattern = /^rm_(sk|pk|ak)_[A-Za-z0-9_-]{43}$/;
/** Enough to tell keys apart in a list, far too little to guess the rest. */
const shownCharacters = 12;

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

export interface CreatedKey {
  readonly id: string;
  /** Shown once. */
  readonly key: string;
}

export const createApiKey = async (
  tx: Tx,
  given: { organizationId: string; kind: KeyKind; name: string },
): Promise<CreatedKey> => {
  const key = prefixOf[given.kind] + randomBytes(32).toString('base64url');
  const id = newId();
  await tx
    .insertInto('api_key')
    .values({
      id,
      organization_id: given.organizationId,
      kind: given.kind,
      name: given.name,
      prefix: key.slice(0, shownCharacters),
      hash: hashOf(key),
    })
    .execute();
  return { id, key };
};

/** Takes the value of an Authorization header. Throws `unauthenticated`. */
export const authenticate = async (db: Reader, authorization: string | undefined): Promise<Principal> => {
  const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (key === undefined || !keyPattern.test(key)) throw new RendermillError('unauthenticated');
  const row = await db
    .selectFrom('api_key')
    .select(['id', 'organization_id', 'kind'])
    .where('hash', '=', hashOf(key))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new RendermillError('unauthenticated');
  return { organizationId: row.organization_id, keyId: row.id, kind: row.kind };
};

export const listApiKeys = (db: Reader, organizationId: string) =>
  db
    .selectFrom('api_key')
    .select(['id', 'kind', 'name', 'prefix', 'created_at', 'revoked_at'])
    .where('organization_id', '=', organizationId)
    .orderBy('created_at')
    .execute();

export const revokeApiKey = async (
  db: Database,
  organizationId: string,
  id: string,
  now: Date,
): Promise<void> => {
  const missing = new RendermillError('not_found', {
    message: `Organization "${organizationId}" has no key ${id}.`,
  });
  if (!isUuid(id)) throw missing;
  const revoked = await db
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (revoked.numUpdatedRows > 0n) return;
  const before = await db
    .selectFrom('api_key')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  throw before === undefined
    ? missing
    : new RendermillError('invalid_request', { message: `Key ${id} is revoked already.` });
};
