import contentDisposition from 'content-disposition';
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { getArtifact } from '../../domain/artifacts/artifacts.ts';
import { assertNotExpired } from '../../domain/artifacts/retention.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import {
  type ArchiveQuery,
  archiveBodySchema,
  archiveQuerySchema,
  orderOfBody,
} from './archive/archive-order.ts';
import { type OpenedArchive, openArchive, signArchive } from './archive/open-archive.ts';
import { prepareArchive } from './archive/prepare-archive.ts';
import { streamArchive } from './archive/stream-archive.ts';
import { parseByteRange } from './byte-range.ts';
import { completeWithLastByte } from './complete-with-last-byte.ts';
import { countedFile, countFileBegun } from './count-file.ts';
import { expiresInSeconds, linkSchema } from './link-schema.ts';
import { type OpenedDownload, openDownload } from './open-download.ts';
import { createDamageRecorder, type RecordDamage } from './record-damage.ts';
import { recordDownloadBegun } from './record-download.ts';
import { createSignedLink, unixSeconds } from './signed-link.ts';
import { assertWhole, type Disposition, dispositionOf, presignFile } from './stored-file.ts';

export interface DownloadRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly log: Logger;
  readonly access: Access<Principal>;
  /** How browsers reach this API; signed links begin with it. */
  readonly publicUrl: () => string;
  /** Single files come from a URL of the storage, where it has such. */
  readonly redirect: boolean;
}

const tags = ['Downloads'];
const archiveTags = ['Archives'];
const security = [{ apiKey: [] }];
const refusals = (...statuses: readonly number[]) =>
  Object.fromEntries(statuses.map((status) => [status, errorResponseSchema]));

const querySchema = z.object({
  fileId: z.string().max(64),
  expires: z.coerce.number().int().positive().optional().describe('Of a signed link: Unix seconds'),
  signature: z.string().max(128).optional().describe('Of a signed link'),
  disposition: z
    .enum(['attachment', 'inline'])
    .default('attachment')
    .describe('inline: for a preview, which is not counted'),
});
type Query = z.infer<typeof querySchema>;

interface SendingDeps extends DownloadRoutesDeps {
  readonly recordDamage: RecordDamage;
}

export const registerDownloadRoutes = (server: HttpServer, given: DownloadRoutesDeps): void => {
  const deps: SendingDeps = { ...given, recordDamage: createDamageRecorder(given) };
  const requireKey = deps.access.require('secret');
  // A signed link carries its own permission; without one the key is asked for.
  const requireKeyOrSignature: onRequestAsyncHookHandler = async function (request, reply) {
    if ((request.query as { signature?: string }).signature === undefined)
      await requireKey.call(this, request, reply);
  };

  server.post(
    '/api/render/download-link',
    {
      onRequest: requireKey,
      schema: {
        operationId: 'createDownloadLink',
        summary: 'A signed link that expires, to hand to a browser',
        tags,
        security,
        body: z.strictObject({
          fileId: z.string().max(64),
          expiresInSeconds,
        }),
        response: { 200: linkSchema, ...refusals(400, 401, 404, 410) },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      const artifact = await getArtifact(deps.db, request.body.fileId);
      if (artifact.organization_id !== organizationId) {
        throw new RendermillError('not_found', { message: 'There is no such file.' });
      }
      assertNotExpired(artifact, deps.clock.now());
      const { link_secret } = await getOrganization(deps.db, organizationId);
      const expiresAt = new Date(deps.clock.now().getTime() + request.body.expiresInSeconds * 1000);
      const link = createSignedLink(link_secret, artifact.file_id, expiresAt);
      const query = new URLSearchParams({
        fileId: link.fileId,
        expires: String(link.expires),
        signature: link.signature,
      });
      return {
        url: `${deps.publicUrl()}/api/render/download?${query}`,
        expiresAt: new Date(link.expires * 1000).toISOString(),
      };
    },
  );

  server.route({
    method: ['GET', 'HEAD'],
    url: '/api/render/download',
    onRequest: requireKeyOrSignature,
    exposeHeadRoute: false,
    schema: {
      summary: 'Download a file, with the secret key or by a signed link',
      description:
        'Answers Range, If-Range, If-None-Match and HEAD. May be a redirect (302) to a URL of the storage that is valid for some minutes.',
      tags,
      security,
      querystring: querySchema,
      response: refusals(401, 403, 404, 410, 416, 503),
    },
    handler: async (request, reply) => {
      const query = request.query as Query;
      const download = await openDownload(
        deps.db,
        {
          ...query,
          expires: query.expires,
          signature: query.signature,
          principal: query.signature === undefined ? deps.access.principal(request) : undefined,
          address: request.ip,
        },
        deps.clock.now(),
      );
      return sendFile(deps, request, reply, download, query.disposition);
    },
  });

  server.post(
    '/api/export/zip-link',
    {
      onRequest: requireKey,
      schema: {
        operationId: 'createZipLink',
        summary: 'A signed link to an archive that expires, to hand to a browser',
        tags: archiveTags,
        security,
        body: archiveBodySchema.extend({ expiresInSeconds }),
        response: { 200: linkSchema, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      const expiresAt = new Date(deps.clock.now().getTime() + request.body.expiresInSeconds * 1000);
      const order = orderOfBody(request.body);
      const query = await signArchive(deps.db, organizationId, order, expiresAt);
      return {
        url: `${deps.publicUrl()}/api/export/zip?${query}`,
        expiresAt: new Date(unixSeconds(expiresAt) * 1000).toISOString(),
      };
    },
  );

  server.route({
    method: ['GET', 'HEAD'],
    url: '/api/export/zip',
    onRequest: requireKeyOrSignature,
    exposeHeadRoute: false,
    schema: {
      summary: 'Download the files of a campaign, or any others, as one ZIP',
      description:
        'With the secret key or by a signed link. Stored, not compressed: its length is told in advance. Whole only, without ranges.',
      tags: archiveTags,
      security,
      querystring: archiveQuerySchema,
      response: refusals(400, 401, 403, 404, 409, 410, 500, 503),
    },
    handler: async (request, reply) => {
      const query = request.query as ArchiveQuery;
      const principal = query.signature === undefined ? deps.access.principal(request) : undefined;
      const opened = await openArchive(deps.db, { query, principal, address: request.ip }, deps.clock.now());
      return sendArchive(deps, request, reply, opened);
    },
  });
};

const sendArchive = async (
  deps: SendingDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { organizationId, order, client }: OpenedArchive,
) => {
  const archive = await deps.recordDamage({ organizationId }, () =>
    prepareArchive(deps, organizationId, order),
  );
  reply
    .header('content-type', 'application/zip')
    .header('content-length', String(archive.sizeInBytes))
    .header('content-disposition', contentDisposition(archive.fileName))
    .header('accept-ranges', 'none')
    .header('cache-control', 'private, no-store');
  if (request.method === 'HEAD') return reply.send();

  const window = { organizationId, fileId: archive.id, client };
  const counted = { ...archive.handedOut, window, correlationId: request.id };
  const begunAt = deps.clock.now();
  await recordDownloadBegun(deps.db, counted, begunAt);
  completeWithLastByte({ ...deps, log: request.log }, reply.raw, counted, begunAt);
  // Should an entry not be what it was a moment ago, the connection breaks instead of ending early.
  reply.raw.strictContentLength = true;
  return reply.send(streamArchive(archive.entries));
};

/** Throws `file_damaged` and `range_not_satisfiable`. */
const sendFile = async (
  deps: SendingDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  download: OpenedDownload,
  disposition: Disposition,
) => {
  const { artifact, export: row } = download;
  const etag = `"${artifact.sha256}"`;
  const size = artifact.size_in_bytes;
  const wanted = {
    organizationId: artifact.organization_id,
    userId: row.user_id,
    exportId: row.id,
    fileId: artifact.file_id,
  };
  await deps.recordDamage(wanted, () => assertWhole(deps.storage, artifact));
  describeFile(reply, download, etag, disposition);
  if (matches(request.headers['if-none-match'], etag)) return reply.status(304).send();

  const range = parseByteRange(rangeAskedFor(request, etag), size);
  if (range.type === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`);
    throw new RendermillError('range_not_satisfiable', { details: { sizeInBytes: size } });
  }
  const { start, end } = range.type === 'part' ? range : { start: 0, end: size - 1 };
  const part = { start, end };
  const url =
    deps.redirect && request.method === 'GET' ? await presignFile(deps.storage, download, disposition) : null;
  if (url !== null) {
    if (disposition === 'attachment') await countFileBegun(deps, countedFile(download, request.id), part);
    return redirectTo(reply, url);
  }
  reply.header('content-length', String(end - start + 1));
  if (range.type === 'part') reply.status(206).header('content-range', `bytes ${start}-${end}/${size}`);
  if (request.method === 'HEAD') return reply.send();

  const body = await deps.storage.read(artifact.storage_key, part);
  // Should the file end early all the same, the connection breaks instead of going on out of step.
  reply.raw.strictContentLength = true;
  try {
    if (disposition === 'attachment') await countFile(deps, request, reply, download, part);
  } catch (error) {
    body.destroy();
    throw error;
  }
  return reply.send(body);
};

/** Only GET knows ranges (RFC 9110, section 14.2), and only of a file that is still the same. */
const rangeAskedFor = ({ method, headers }: FastifyRequest, etag: string): string | undefined => {
  const isSameFile = headers['if-range'] === undefined || headers['if-range'] === etag;
  return method === 'GET' && isSameFile ? headers.range : undefined;
};

const describeFile = (
  reply: FastifyReply,
  download: OpenedDownload,
  etag: string,
  disposition: Disposition,
) => {
  const { artifact } = download;
  reply
    .header('content-type', artifact.media_type)
    .header('content-disposition', dispositionOf(download, disposition))
    .header('etag', etag)
    .header('last-modified', artifact.created_at.toUTCString())
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, max-age=0, must-revalidate')
    // A preview is shown in the tenant's own pages, which are of another origin.
    .header('cross-origin-resource-policy', 'cross-origin');
};

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag));

/** What told of the file is told by the storage; its hash is known here only. */
const redirectTo = (reply: FastifyReply, url: string) => {
  for (const name of ['content-type', 'content-disposition', 'last-modified', 'accept-ranges']) {
    reply.removeHeader(name);
  }
  return reply.header('cache-control', 'no-store').redirect(url, 302);
};

/** Before the first byte; and after the last one, where it is a part of this answer. */
const countFile = async (
  deps: SendingDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  download: OpenedDownload,
  part: { start: number; end: number },
) => {
  const counted = countedFile(download, request.id);
  const begunAt = deps.clock.now();
  await countFileBegun(deps, counted, part);
  if (part.end === download.artifact.size_in_bytes - 1) {
    completeWithLastByte({ ...deps, log: request.log }, reply.raw, counted, begunAt);
  }
};
