import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { deliveriesOf, listDeliveries } from '../../domain/deliveries/read-deliveries.ts';
import { getWebhook } from '../../domain/deliveries/webhook-endpoints.ts';
import { findEvents, listEvents } from '../../domain/events/list-events.ts';
import { readEventConsent } from '../../domain/identity/read-event-consent.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { decodeSeq, encodeSeq } from './delivery-cursor.ts';
import { replayOwn, retryOwn } from './redrive-own.ts';
import {
  deliveriesQuery,
  deliveriesSchema,
  eventDetailsSchema,
  eventsQuery,
  eventsSchema,
  presentDelivery,
  presentDetails,
  presentEvent,
  replayBody,
  replayedSchema,
  retriedSchema,
  retryBody,
} from './schemas.ts';

export interface EventLogRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly access: Access<Principal>;
}

const refusals = {
  400: errorResponseSchema,
  401: errorResponseSchema,
  403: errorResponseSchema,
  503: errorResponseSchema,
};
const refusalsOfOne = { ...refusals, 404: errorResponseSchema };
const params = z.object({ id: z.guid() });
const security = [{ apiKey: [] }];

interface Routes {
  readonly server: HttpServer;
  readonly deps: EventLogRoutesDeps;
  readonly onRequest: ReturnType<Access<Principal>['require']>;
  readonly organizationOf: (request: FastifyRequest) => string;
}

/** The log of an organization, and the deliveries to its own endpoints: to look at, and to repair. */
export const registerEventLogRoutes = (server: HttpServer, deps: EventLogRoutesDeps): void => {
  const routes: Routes = {
    server,
    deps,
    onRequest: deps.access.require('secret', 'admin'),
    organizationOf: (request) => deps.access.principal(request).organizationId,
  };
  registerEvents(routes);
  registerDeliveries(routes);
  registerRepairs(routes);
};

const registerEvents = ({ server, deps: { db }, onRequest, organizationOf }: Routes): void => {
  server.get(
    '/api/v1/events',
    {
      onRequest,
      schema: {
        operationId: 'listEvents',
        summary: 'The events by when they happened, the newest last, with filters',
        tags: ['Events'],
        security,
        querystring: eventsQuery,
        response: { 200: eventsSchema, ...refusals },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const page = await listEvents(db, organizationOf(request), filter, { limit, cursor });
      return { events: page.events.map(presentEvent), nextCursor: page.nextCursor };
    },
  );

  server.get(
    '/api/v1/events/:id',
    {
      onRequest,
      schema: {
        operationId: 'getEvent',
        summary: 'An event, and what became of it on its way to each destination',
        tags: ['Events'],
        security,
        params,
        response: { 200: eventDetailsSchema, ...refusalsOfOne },
      },
    },
    async (request) => {
      const { id } = request.params;
      const [event] = await findEvents(db, id, organizationOf(request));
      if (!event) throw new RendermillError('not_found', { message: `There is no event "${id}".` });
      const deliveries = await deliveriesOf(db, event.organizationId, event.id);
      return presentDetails(event, await readEventConsent(db, event), deliveries);
    },
  );
};

const registerDeliveries = ({ server, deps: { db }, onRequest, organizationOf }: Routes): void => {
  server.get(
    '/api/v1/deliveries',
    {
      onRequest,
      schema: {
        operationId: 'listDeliveries',
        summary: 'Deliveries to your endpoints that wait, or that were given up, in the order of the log',
        tags: ['Webhooks'],
        security,
        querystring: deliveriesQuery,
        response: { 200: deliveriesSchema, ...refusalsOfOne },
      },
    },
    async (request) => {
      const { state, webhookId, limit, cursor } = request.query;
      const ownerId = organizationOf(request);
      const webhook =
        webhookId === undefined
          ? undefined
          : await getWebhook(db, { organizationId: ownerId, id: webhookId });
      const afterSeq = cursor === undefined ? undefined : decodeSeq(cursor);
      const filter = { state, ownerId, sinkId: webhook?.id, afterSeq };
      const rows = await listDeliveries(db, { ...filter, limit: limit + 1 });
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        deliveries: shown.map(presentDelivery),
        nextCursor: rows.length > limit && last ? encodeSeq(last.seq) : null,
      };
    },
  );
};

const registerRepairs = ({ server, deps: { db, clock }, onRequest, organizationOf }: Routes): void => {
  server.post(
    '/api/v1/deliveries/retry',
    {
      onRequest,
      schema: {
        operationId: 'retryDeliveries',
        summary: 'Try deliveries that were given up again: of an endpoint, of an event, or both',
        description: 'What is not given up stays as it is, so the same call twice does no harm.',
        tags: ['Webhooks'],
        security,
        body: retryBody,
        response: { 200: retriedSchema, ...refusalsOfOne },
      },
    },
    (request) => retryOwn(db, { organizationId: organizationOf(request), ...request.body }, clock.now()),
  );

  server.post(
    '/api/v1/events/replay',
    {
      onRequest,
      schema: {
        operationId: 'replayEvents',
        summary: 'Send what was received in a time to an endpoint again, with the same ids',
        description:
          'Up to 100,000 events and 31 days at once. What is on its way already is not sent twice; a receiver knows by webhook-id what it has had before.',
        tags: ['Webhooks'],
        security,
        body: replayBody,
        response: { 200: replayedSchema, ...refusalsOfOne },
      },
    },
    (request) => replayOwn(db, { organizationId: organizationOf(request), ...request.body }, clock.now()),
  );
};
