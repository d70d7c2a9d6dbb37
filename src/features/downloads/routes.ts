import type { Readable } from 'node:stream';
import contentDisposition from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { type Artifact, getArtifact } from '../../domain/artifacts/artifacts.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import { parseByteRange } from './byte-range.ts';
import { fileNameOf } from './file-name.ts';
import { type OpenedDownload, openDownload } from './open-download.ts';
import { type CountedDownload, recordDownloadBegun, recordDownloadCompleted } from './record-download.ts';
import { createSignedLink, defaultLinkSeconds, maxLinkSeconds } from './signed-link.ts';

export interface DownloadRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly access: Access<Principal>;
  /** How browsers reach this API; signed links begin with it. */
  readonly publicUrl: () => string;
}

const tags = ['Downloads'];
const security = [{ apiKey: [] }];

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

const linkSchema = z
  .object({ url: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: 'DownloadLink', description: 'A link for one file, valid until then' });

export const registerDownloadRoutes = (server: HttpServer, deps: DownloadRoutesDeps): void => {
  const requireKey = deps.access.require('secret');

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
          expiresInSeconds: z.int().min(1).max(maxLinkSeconds).default(defaultLinkSeconds),
        }),
        response: {
          200: linkSchema,
          400: errorResponseSchema,
          401: errorResponseSchema,
          404: errorResponseSchema,
        },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      const artifact = await getArtifact(deps.db, request.body.fileId);
      if (artifact.organization_id !== organizationId) {
        throw new RendermillError('not_found', { message: 'There is no such file.' });
      }
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
    // A signed link carries its own permission; without one the key is asked for.
    onRequest: async function (request, reply) {
      if ((request.query as { signature?: string }).signature === undefined)
        await requireKey.call(this, request, reply);
    },
    exposeHeadRoute: false,
    schema: {
      summary: 'Download a file, with the secret key or by a signed link',
      description: 'Answers Range, If-Range, If-None-Match and HEAD.',
      tags,
      security,
      querystring: querySchema,
      response: {
        401: errorResponseSchema,
        403: errorResponseSchema,
        404: errorResponseSchema,
        416: errorResponseSchema,
        503: errorResponseSchema,
      },
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
};

const sendFile = async (
  deps: DownloadRoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  download: OpenedDownload,
  disposition: 'attachment' | 'inline',
) => {
  const { artifact } = download;
  const etag = `"${artifact.sha256}"`;
  const size = artifact.size_in_bytes;
  await assertWhole(deps.storage, artifact);
  describeFile(reply, download, etag, disposition);
  if (matches(request.headers['if-none-match'], etag)) return reply.status(304).send();

  const range = parseByteRange(rangeAskedFor(request, etag), size);
  if (range.type === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`);
    throw new RendermillError('range_not_satisfiable', { details: { sizeInBytes: size } });
  }
  const { start, end } = range.type === 'part' ? range : { start: 0, end: size - 1 };
  reply.header('content-length', String(end - start + 1));
  if (range.type === 'part') reply.status(206).header('content-range', `bytes ${start}-${end}/${size}`);
  if (request.method === 'HEAD') return reply.send();

  const body = await deps.storage.read(artifact.storage_key, { start, end });
  // Should the file end early all the same, the connection breaks instead of going on out of step.
  reply.raw.strictContentLength = true;
  if (disposition === 'attachment') await count(deps, request, reply, body, download, { start, end });
  return reply.send(body);
};

/** Only GET knows ranges (RFC 9110, section 14.2), and only of a file that is still the same. */
const rangeAskedFor = ({ method, headers }: FastifyRequest, etag: string): string | undefined => {
  const isSameFile = headers['if-range'] === undefined || headers['if-range'] === etag;
  return method === 'GET' && isSameFile ? headers.range : undefined;
};

/** What was promised must be there before a length is: a short file would leave the client waiting. */
const assertWhole = async (storage: Storage, artifact: Artifact): Promise<void> => {
  const stored = await storage.stat(artifact.storage_key);
  if (stored?.sizeInBytes === artifact.size_in_bytes) return;
  throw new RendermillError('file_damaged', {
    cause: new Error(
      `${artifact.storage_key}: ${stored?.sizeInBytes ?? 'no'} bytes instead of ${artifact.size_in_bytes}`,
    ),
  });
};

const describeFile = (
  reply: FastifyReply,
  download: OpenedDownload,
  etag: string,
  disposition: 'attachment' | 'inline',
) => {
  const { artifact, export: row } = download;
  reply
    .header('content-type', artifact.media_type)
    .header('content-disposition', contentDisposition(fileNameOf(row), { type: disposition }))
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

const count = async (
  deps: DownloadRoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Readable,
  download: OpenedDownload,
  { start, end }: { start: number; end: number },
) => {
  const { artifact, client } = download;
  const counted: CountedDownload = {
    artifact,
    export: download.export,
    window: { organizationId: artifact.organization_id, fileId: artifact.file_id, client },
    correlationId: request.id,
  };
  const begunAt = deps.clock.now();
  try {
    if (start === 0) await recordDownloadBegun(deps.db, counted, begunAt);
  } catch (error) {
    body.destroy();
    throw error;
  }
  if (end !== artifact.size_in_bytes - 1) return;
  // `finish`: the last byte was handed to the system; a client that went away before gives `close` alone.
  reply.raw.once('finish', () => {
    const now = deps.clock.now();
    recordDownloadCompleted(deps.db, counted, now.getTime() - begunAt.getTime(), now).catch(
      (error: unknown) =>
        request.log.error(
          { err: error, fileId: artifact.file_id },
          'download_completed could not be recorded',
        ),
    );
  });
};
