import { z } from 'zod';
import type { RenderModes } from '../../core/choose-render-mode.ts';
import { renderRequestSchema } from '../../core/render-request.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { requestCancel } from '../../domain/exports/cancel-export.ts';
import { type Export, getExport } from '../../domain/exports/export.ts';
import { exportSchema, presentExport } from '../../domain/exports/present-export.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import { sendEvents } from '../../platform/http/event-stream.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import type { Logger } from '../../platform/log/log.ts';
import { createPollCounter } from './count-polls.ts';
import { requestRender } from './request-render.ts';
import { watchExport } from './watch-export.ts';

export interface RenderRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly log: Logger;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
  readonly access: Access<Principal>;
}

const acceptanceSchema = z
  .object({
    id: z.uuid(),
    status: z.literal('queued'),
    version: z.string(),
    limit: z.int().nullable().describe('Exports a day; null: no limit'),
    remaining: z.int().nullable(),
    resetAt: z.iso.datetime().describe("Start of the organization's next day"),
  })
  .meta({ id: 'Acceptance', description: 'Accepted: the limit is reserved, the render is queued' });

const idParams = z.object({ id: z.string().max(64) });
const security = [{ apiKey: [] }];
const tags = ['Renders'];
const failures = (...codes: readonly number[]) =>
  Object.fromEntries(codes.map((code) => [code, errorResponseSchema]));

export const registerRenderRoutes = (server: HttpServer, deps: RenderRoutesDeps): void => {
  const onRequest = deps.access.require('secret');
  const polls = createPollCounter(deps);
  server.addHook('onClose', () => polls.stop());
  const present = async (row: Export) =>
    presentExport(row, (await findArtifactsOf(deps.db, [row.id])).get(row.id), deps.clock.now());

  server.post(
    '/api/render',
    {
      onRequest,
      schema: {
        operationId: 'requestRender',
        summary: 'Request a still or a video',
        tags,
        security,
        headers: z.object({
          'idempotency-key': z
            .string()
            .min(1)
            .max(255)
            .optional()
            .describe('The same key and body within 24 hours: the same answer and no second render'),
        }),
        body: renderRequestSchema,
        response: { 202: acceptanceSchema, ...failures(400, 401, 403, 404, 409, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const { answer, replayed } = await requestRender(deps, {
        organizationId: deps.access.principal(request).organizationId,
        request: request.body,
        idempotencyKey: request.headers['idempotency-key'],
        correlationId: request.id,
      });
      if (replayed) reply.header('idempotent-replayed', 'true');
      return reply.status(202).header('location', `/api/render/${answer.id}`).send(answer);
    },
  );

  server.get(
    '/api/render/:id',
    {
      onRequest,
      schema: {
        operationId: 'getRender',
        summary: 'State, progress, and the file once there is one',
        tags,
        security,
        params: idParams,
        response: { 200: exportSchema, ...failures(401, 404, 503) },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      const row = await getExport(deps.db, organizationId, request.params.id);
      polls.count(row);
      return present(row);
    },
  );

  server.delete(
    '/api/render/:id',
    {
      onRequest,
      schema: {
        operationId: 'cancelRender',
        summary: 'Cancel, at any stage',
        description:
          'A running render ends within seconds: watch its state. One that is canceled already stays so.',
        tags,
        security,
        params: idParams,
        response: { 202: exportSchema, ...failures(401, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const { organizationId } = deps.access.principal(request);
      const row = await deps.db
        .transaction()
        .execute((tx) => requestCancel(tx, organizationId, request.params.id, deps.clock.now()));
      return reply.status(202).send(await present(row));
    },
  );

  server.get(
    '/api/render/:id/events',
    {
      onRequest,
      schema: {
        operationId: 'watchRender',
        summary: 'Server-sent events: changes of state and progress',
        description:
          'Events `status` (with an id) and `progress`; ends after the final state. Resume with Last-Event-ID; 204 where nothing is left to tell. 401, 404 and 503 as elsewhere.',
        tags,
        security,
        params: idParams,
        headers: z.object({
          'last-event-id': z
            .string()
            .regex(/^\d{1,15}$/)
            .optional(),
        }),
      },
    },
    (request, reply) =>
      sendEvents(reply, (signal) =>
        watchExport(deps, {
          organizationId: deps.access.principal(request).organizationId,
          exportId: request.params.id,
          afterPosition: Number(request.headers['last-event-id'] ?? 0),
          signal,
          onOpen: polls.count,
        }),
      ),
  );
};
