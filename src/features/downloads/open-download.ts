import { createHash } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { type Artifact, getArtifact } from '../../domain/artifacts/artifacts.ts';
import { assertNotExpired } from '../../domain/artifacts/retention.ts';
import { type Export, getExport } from '../../domain/exports/export.ts';
import type { Database } from '../../platform/db/client.ts';
import { verifySignedLink } from './signed-link.ts';

export interface OpenedDownload {
  readonly artifact: Artifact;
  readonly export: Export;
  /** Who counts as one client: the link itself, or the key with the address that used it. */
  readonly client: string;
}

export interface DownloadCredentials {
  readonly fileId: string;
  readonly expires: number | undefined;
  readonly signature: string | undefined;
  /** Absent where the request carries a signature instead of a key. */
  readonly principal: Principal | undefined;
  readonly address: string;
}

const hash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('base64url');

/** Another organization's file is as if it did not exist. Throws `file_expired`. */
export const openDownload = async (
  db: Database,
  given: DownloadCredentials,
  now: Date,
): Promise<OpenedDownload> => {
  if (given.principal) {
    const artifact = await getArtifact(db, given.fileId);
    if (artifact.organization_id !== given.principal.organizationId) {
      throw new RendermillError('not_found', { message: 'There is no such file.' });
    }
    assertNotExpired(artifact, now);
    return { ...(await withExport(db, artifact)), client: hash(given.principal.keyId, given.address) };
  }
  const { expires, signature } = given;
  if (expires === undefined || signature === undefined) throw new RendermillError('unauthenticated');
  // Without a key nobody learns which files there are.
  const artifact = await getArtifact(db, given.fileId).catch(notFoundAsInvalidLink);
  const organization = await getOrganization(db, artifact.organization_id);
  verifySignedLink(organization.link_secret, { fileId: artifact.file_id, expires, signature }, now);
  assertNotExpired(artifact, now);
  return { ...(await withExport(db, artifact)), client: hash(artifact.file_id, String(expires)) };
};

const notFoundAsInvalidLink = (error: unknown): never => {
  throw error instanceof RendermillError && error.code === 'not_found'
    ? new RendermillError('link_invalid')
    : error;
};

const withExport = async (db: Database, artifact: Artifact) => ({
  artifact,
  export: await getExport(db, artifact.organization_id, artifact.export_id),
});
