import { z } from 'zod';
import { exportStatuses } from '../../core/exports.ts';
import { exportKinds, stillFormats, videoFormats } from '../../core/output.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import { listExports } from '../../domain/exports/list-exports.ts';
import { exportSchema, presentExport } from '../../domain/exports/present-export.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Strict: a misspelt filter would show one user the exports of all. */
const querySchema = z.strictObject({
  userId: z.string().max(128).optional(),
  projectId: z.string().max(128).optional(),
  compositionId: z.string().max(128).optional(),
  batchId: z.uuid().optional().describe('The cells of one campaign or import'),
  status: z.enum(exportStatuses).optional(),
  kind: z.enum(exportKinds).optional(),
  format: z.enum([...stillFormats, ...videoFormats]).optional(),
  from: time.optional().describe('Created at or after'),
  until: time.optional().describe('Created before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('nextCursor of the page before'),
});

const pageSchema = z.object({
  exports: z.array(exportSchema),
  nextCursor: z.string().nullable().describe('Null at the end; stable while new exports come in'),
});

export const registerHistoryRoutes = (
  server: HttpServer,
  deps: { readonly db: Database; readonly clock: Clock; readonly access: Access<Principal> },
): void => {
  server.get(
    '/api/exports',
    {
      onRequest: deps.access.require('secret'),
      schema: {
        operationId: 'listExports',
        summary: 'The exports, newest first, with filters',
        tags: ['History'],
        security: [{ apiKey: [] }],
        querystring: querySchema,
        response: {
          200: pageSchema,
          400: errorResponseSchema,
          401: errorResponseSchema,
          503: errorResponseSchema,
        },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const { organizationId } = deps.access.principal(request);
      const page = await listExports(deps.db, organizationId, filter, { limit, cursor });
      const artifacts = await findArtifactsOf(
        deps.db,
        page.exports.map((row) => row.id),
      );
      const now = deps.clock.now();
      return {
        exports: page.exports.map((row) => presentExport(row, artifacts.get(row.id), now)),
        nextCursor: page.nextCursor,
      };
    },
  );
};
