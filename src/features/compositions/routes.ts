import { z } from 'zod';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { type Composition, listCompositions } from '../../domain/compositions/find-compositions.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';

const compositionSchema = z
  .object({
    id: z.string(),
    version: z.string(),
    newest: z.boolean().describe('The version that a request takes which names none'),
    width: z.int().nullable(),
    height: z.int().nullable(),
    fps: z.number().nullable(),
    durationInFrames: z.int().nullable(),
    hasCalculateMetadata: z.boolean().describe('Size and length may differ for other props'),
    validated: z
      .boolean()
      .describe('False: the composition has no schema, and its props are taken as they are'),
    propsSchema: z.record(z.string(), z.unknown()).nullable().describe('JSON Schema'),
    defaultProps: z.record(z.string(), z.unknown()),
    schemaNotes: z.array(z.string()),
    registeredAt: z.iso.datetime(),
  })
  .meta({ id: 'Composition' });

const present = (row: Composition, newest: boolean): z.infer<typeof compositionSchema> => ({
  id: row.id,
  version: row.version,
  newest,
  width: row.width,
  height: row.height,
  fps: row.fps,
  durationInFrames: row.duration_in_frames,
  hasCalculateMetadata: row.has_calculate_metadata,
  validated: row.props_schema !== null,
  propsSchema: row.props_schema,
  defaultProps: row.default_props,
  schemaNotes: row.schema_notes,
  registeredAt: row.registered_at.toISOString(),
});

export const registerCompositionRoutes = (
  server: HttpServer,
  deps: { readonly db: Database; readonly access: Access<Principal> },
): void => {
  server.get(
    '/api/compositions',
    {
      onRequest: deps.access.require('secret'),
      schema: {
        operationId: 'listCompositions',
        summary: 'The registered compositions with their size, length and schema of props, newest first',
        tags: ['Compositions'],
        security: [{ apiKey: [] }],
        response: { 200: z.object({ compositions: z.array(compositionSchema) }), 401: errorResponseSchema },
      },
    },
    async (request) => {
      const seen = new Set<string>();
      const rows = await listCompositions(deps.db, deps.access.principal(request).organizationId);
      return {
        compositions: rows.map((row) => present(row, !seen.has(row.id) && Boolean(seen.add(row.id)))),
      };
    },
  );
};
