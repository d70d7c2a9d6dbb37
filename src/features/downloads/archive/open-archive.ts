import { createHash } from 'node:crypto';
import { RendermillError } from '../../../core/errors.ts';
import type { Principal } from '../../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../../domain/accounts/organizations.ts';
import { getBatch } from '../../../domain/batches/batch.ts';
import type { Database } from '../../../platform/db/client.ts';
import { createSignature, unixSeconds, verifySignature } from '../signed-link.ts';
import { type ArchiveOrder, type ArchiveQuery, orderOfQuery, queryOf, subjectOf } from './archive-order.ts';

export interface OpenedArchive {
  readonly organizationId: string;
  readonly order: ArchiveOrder;
  /** Who counts as one client: the link itself, or the key with the address that used it. */
  readonly client: string;
}

export interface ArchiveCredentials {
  readonly query: ArchiveQuery;
  /** Absent where the request carries a signature instead of a key. */
  readonly principal: Principal | undefined;
  readonly address: string;
}

const hash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('base64url');

/** Who asks for what. Throws `link_invalid`, `unauthenticated` and `invalid_request`. */
export const openArchive = async (
  db: Database,
  { query, principal, address }: ArchiveCredentials,
  now: Date,
): Promise<OpenedArchive> => {
  const order = orderOfQuery(query);
  if (principal) {
    return { organizationId: principal.organizationId, order, client: hash(principal.keyId, address) };
  }
  const { organization, expires, signature } = query;
  if (organization === undefined || expires === undefined || signature === undefined) {
    throw new RendermillError('unauthenticated');
  }
  const { id, link_secret } = await getOrganization(db, organization).catch(notFoundAsInvalidLink);
  const subject = subjectOf(id, order);
  verifySignature(link_secret, { purpose: 'zip', subject, expires }, signature, now);
  return { organizationId: id, order, client: hash('zip', subject, String(expires)) };
};

const notFoundAsInvalidLink = (error: unknown): never => {
  throw error instanceof RendermillError && error.code === 'not_found'
    ? new RendermillError('link_invalid')
    : error;
};

/**
 * The query of a link. It names a batch by its id: a later one of the same name is another archive. Throws `not_found`; whether the
 * batch has come to its end is asked when the link is opened.
 */
export const signArchive = async (
  db: Database,
  organizationId: string,
  order: ArchiveOrder,
  expiresAt: Date,
): Promise<URLSearchParams> => {
  const { source } = order;
  const named: ArchiveOrder =
    source.type === 'files'
      ? order
      : {
          ...order,
          source: { ...source, batch: (await getBatch(db, organizationId, source.batch)).batch.id },
        };
  const { link_secret } = await getOrganization(db, organizationId);
  const expires = unixSeconds(expiresAt);
  const subject = subjectOf(organizationId, named);
  return new URLSearchParams({
    ...queryOf(named),
    organization: organizationId,
    expires: String(expires),
    signature: createSignature(link_secret, { purpose: 'zip', subject, expires }),
  });
};
