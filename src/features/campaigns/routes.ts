import type { FastifyRequest } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { maxVariants } from '../../core/batch-order.ts';
import { jobTypes, runStatuses } from '../../core/batches.ts';
import {
  type CampaignRequest,
  campaignRequestSchema,
  readCampaignRequest,
} from '../../core/campaign-request.ts';
import type { RenderModes } from '../../core/choose-render-mode.ts';
import { exportStatuses } from '../../core/exports.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getBatch } from '../../domain/batches/batch.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { requestBatchCancel } from '../../domain/exports/cancel-batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { createPause } from '../../platform/clock/pause.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Access } from '../../platform/http/access.ts';
import { clientLeft } from '../../platform/http/client-left.ts';
import { errorResponseSchema, invalidRequest } from '../../platform/http/error-response.ts';
import { sendEvents } from '../../platform/http/event-stream.ts';
import { readLargeJson } from '../../platform/http/read-large-json.ts';
import { type HttpServer, maxBodyBytes as maxVariantBytes } from '../../platform/http/server.ts';
import { acceptanceSchema, type CampaignAcceptance } from './acceptance.ts';
import type { Answered } from './answer-once.ts';
import { planCampaign, planSchema } from './plan-campaign.ts';
import { campaignSchema, summarySchema } from './present-campaign.ts';
import { readCampaign, readCampaigns } from './read-campaign.ts';
import { assertAnyRoom, requestCampaign } from './request-campaign.ts';
import { retryCampaign } from './retry-campaign.ts';
import { watchCampaign } from './watch-campaign.ts';

export interface CampaignRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
  /** Lambda functions that may run at once. */
  readonly lambdaSlots: () => Promise<number>;
  readonly access: Access<Principal>;
}

/** A hundred thousand variants of two hundred bytes each; beyond that a file is the better way: POST /api/imports/csv. */
const maxBodyBytes = 20 * 1024 * 1024;

const idParams = z.object({ id: z.string().max(128).describe("Its id, or the tenant's own name for it") });
const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('The same key and body within 24 hours: the same answer and nothing more'),
});
const security = [{ apiKey: [] }];
const tags = ['Campaigns'];
const failures = (...codes: readonly number[]) =>
  Object.fromEntries(codes.map((code) => [code, errorResponseSchema]));

/** Strict: a misspelt `dryRun` would be the real thing. */
const requestQuery = z.strictObject({
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .describe('true: the plan (200), and nothing is recorded'),
});

const listQuery = z.strictObject({
  userId: z.string().max(128).optional(),
  projectId: z.string().max(128).optional(),
  status: z.enum(runStatuses).optional().describe('Of the last run'),
  jobType: z.enum(jobTypes).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('nextCursor of the page before'),
});

const cellsQuery = z.strictObject({
  cells: z.coerce
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(200)
    .describe('Cells of this page, in whole variants; at least one variant; 0: none'),
  cursor: z.string().max(200).optional().describe('cells.nextCursor of the page before'),
  status: z.enum(exportStatuses).optional().describe('Only cells in this state'),
});

const pageSchema = z.object({
  campaigns: z.array(summarySchema),
  nextCursor: z.string().nullable().describe('Null at the end; stable while new ones come in'),
});

export const registerCampaignRoutes = (server: HttpServer, deps: CampaignRoutesDeps): void => {
  void server.register(async (scope: HttpServer) => registerRequest(scope, deps));
  registerChanges(server, deps);
  registerReads(server, deps);
};

const replay = ({ answer, replayed }: Answered<CampaignAcceptance>) => ({
  answer,
  headers: {
    location: `/api/campaigns/${answer.id}`,
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  },
});

/** In a scope of its own, in which JSON is read and judged in turns with the other requests: no other body may be this large. */
const registerRequest = (scope: HttpServer, deps: CampaignRoutesDeps): void => {
  readVariantsInTurns(scope);
  scope.post(
    '/api/campaigns',
    {
      onRequest: [deps.access.require('secret'), async (request) => refuseAheadOfBody(deps, request)],
      bodyLimit: maxBodyBytes,
      config: {
        whenTooLarge: 'Split the campaign, or send it as a CSV file of up to 100 MB: POST /api/imports/csv.',
      },
      validatorCompiler: (route) =>
        route.httpPart === 'body' ? () => true : validatorCompiler(route as never),
      schema: {
        operationId: 'requestCampaign',
        summary: 'Request a campaign: variants × sizes',
        description:
          'Reserves all cells or none. The body has up to 20 MB, each variant up to 1 MB. With dryRun=true: what it would be, why it would be refused and how long it would take, without a trace.',
        tags,
        security,
        headers: idempotencyHeaders,
        querystring: requestQuery,
        body: campaignRequestSchema,
        response: {
          200: planSchema,
          202: acceptanceSchema,
          ...failures(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { organizationId } = deps.access.principal(request);
      const signal = clientLeft(reply);
      const asked = await readBody(request.body);
      if (request.query.dryRun === 'true')
        return reply.status(200).send(await planCampaign(deps, organizationId, asked, signal));
      const { answer, headers } = replay(
        await requestCampaign(deps, {
          organizationId,
          request: asked,
          idempotencyKey: request.headers['idempotency-key'],
          correlationId: request.id,
          signal,
        }),
      );
      return reply.status(202).headers(headers).send(answer);
    },
  );
};

/** What is wrong with query and headers is told once the body is read, as everywhere. */
const refuseAheadOfBody = async (deps: CampaignRoutesDeps, request: FastifyRequest): Promise<void> => {
  const query = requestQuery.safeParse(request.query);
  const headers = idempotencyHeaders.safeParse(request.headers);
  if (!query.success || !headers.success || query.data.dryRun === 'true') return;
  const { organizationId } = deps.access.principal(request);
  await assertAnyRoom(deps, { organizationId, idempotencyKey: headers.data['idempotency-key'] });
};

/** One variant may be as large as the body of a render. */
const readVariantsInTurns = (scope: HttpServer): void => {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      const parse = (text: string): unknown => {
        let parsed: unknown;
        void parseJson(request, text, (error, value) => {
          if (error) throw error;
          parsed = value;
        });
        return parsed;
      };
      return readLargeJson(bytes, {
        list: 'variants',
        most: maxVariants,
        mostBytes: maxVariantBytes,
        parse,
        pause: createPause(),
      });
    },
  );
};

/** Throws `invalid_request`, as the schema itself would. */
const readBody = async (body: unknown): Promise<CampaignRequest> => {
  const read = await readCampaignRequest(body, createPause());
  if (read.type === 'valid') return read.request;
  throw invalidRequest('body', read.issues);
};

const registerChanges = (server: HttpServer, deps: CampaignRoutesDeps): void => {
  const onRequest = deps.access.require('secret');

  server.post(
    '/api/campaigns/:id/retry',
    {
      onRequest,
      schema: {
        operationId: 'retryCampaign',
        summary: 'Render what failed again, as a new run',
        description:
          "Of a campaign or an import whose last run has ended: reserves just the cells that failed, by today's limit.",
        tags,
        security,
        headers: idempotencyHeaders,
        params: idParams,
        response: { 202: acceptanceSchema, ...failures(400, 401, 403, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const { answer, headers } = replay(
        await retryCampaign(deps, {
          organizationId: deps.access.principal(request).organizationId,
          campaign: request.params.id,
          idempotencyKey: request.headers['idempotency-key'],
          correlationId: request.id,
        }),
      );
      return reply.status(202).headers(headers).send(answer);
    },
  );

  server.delete(
    '/api/campaigns/:id',
    {
      onRequest,
      schema: {
        operationId: 'cancelCampaign',
        summary: 'Cancel what is left',
        description:
          'What was rendered stays; what was not is given back. Watch its state: it closes once running renders have ended.',
        tags,
        security,
        params: idParams,
        response: { 202: campaignSchema, ...failures(401, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const { organizationId } = deps.access.principal(request);
      const id = await deps.db.transaction().execute(async (tx) => {
        const { batch } = await getBatch(tx, organizationId, request.params.id);
        await requestBatchCancel(tx, batch, deps.clock.now());
        return batch.id;
      });
      return reply.status(202).send(await readCampaign(deps, organizationId, id, { cells: 0 }));
    },
  );
};

const registerReads = (server: HttpServer, deps: CampaignRoutesDeps): void => {
  const onRequest = deps.access.require('secret');

  server.get(
    '/api/campaigns',
    {
      onRequest,
      schema: {
        operationId: 'listCampaigns',
        summary: 'Campaigns and imports, newest first, with filters',
        tags,
        security,
        querystring: listQuery,
        response: { 200: pageSchema, ...failures(400, 401, 503) },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const { organizationId } = deps.access.principal(request);
      return readCampaigns(deps, organizationId, filter, { limit, cursor });
    },
  );

  server.get(
    '/api/campaigns/:id',
    {
      onRequest,
      schema: {
        operationId: 'getCampaign',
        summary: 'State, runs, counts, and a page of its cells',
        tags,
        security,
        params: idParams,
        querystring: cellsQuery,
        response: { 200: campaignSchema, ...failures(400, 401, 404, 503) },
      },
    },
    async (request) =>
      readCampaign(deps, deps.access.principal(request).organizationId, request.params.id, request.query),
  );

  server.get(
    '/api/campaigns/:id/events',
    {
      onRequest,
      schema: {
        operationId: 'watchCampaign',
        summary: 'Server-sent events: progress and changes of state',
        description:
          'Events `progress` (at most four a second) and `status` (with an id), a snapshot first; ends after the close of the last run. Come back by just connecting again; 204 where Last-Event-ID says that the end was seen. 401, 404 and 503 as elsewhere.',
        tags,
        security,
        params: idParams,
        headers: z.object({
          'last-event-id': z
            .string()
            .regex(/^\d{1,9}-[a-z]{1,20}$/)
            .optional(),
        }),
      },
    },
    (request, reply) =>
      sendEvents(reply, (signal) =>
        watchCampaign(deps, {
          organizationId: deps.access.principal(request).organizationId,
          campaign: request.params.id,
          lastId: request.headers['last-event-id'] ?? '',
          signal,
        }),
      ),
  );
};
