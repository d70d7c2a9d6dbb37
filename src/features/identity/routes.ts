import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { toCanonicalEvent } from '../../core/events/canonical-event.ts';
import { personIdSchema } from '../../core/identity/person-id.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { readConsents } from '../../domain/identity/consent-rows.ts';
import { findErasure, isErasureAsked, listErasures, retryErasure } from '../../domain/identity/erasures.ts';
import { identityAudience, identityKey, signIdentityToken } from '../../domain/identity/identity-token.ts';
import { readPersonEvents } from '../../domain/identity/read-person-events.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { identify } from './identify.ts';
import {
  consentBody,
  consentSchema,
  consentTakenSchema,
  erasureSchema,
  erasuresSchema,
  identifiedSchema,
  identifyBody,
  keySchema,
  pageQuery,
  personEventsSchema,
  personQuery,
  presentErasure,
  receivedErasure,
  tokenBody,
  tokenSchema,
} from './schemas.ts';
import { askToErase, stateConsent } from './tell-log.ts';

export interface IdentityRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly access: Access<Principal>;
}

const security = [{ apiKey: [] }];
const refusals = {
  400: errorResponseSchema,
  401: errorResponseSchema,
  403: errorResponseSchema,
  503: errorResponseSchema,
};
const userParams = z.object({ id: personIdSchema });
const erasureParams = z.object({ id: z.guid() });
const tags = ['Identity'];

export const registerIdentityRoutes = (server: HttpServer, deps: IdentityRoutesDeps): void => {
  registerIdentifyRoutes(server, deps);
  registerPersonRoutes(server, deps);
  registerErasureRoutes(server, deps);
};

/** A helper of each group: whose request it is. */
const organizationIn = (deps: IdentityRoutesDeps) => (request: FastifyRequest) =>
  deps.access.principal(request).organizationId;

const registerIdentifyRoutes = (server: HttpServer, deps: IdentityRoutesDeps): void => {
  const { db, clock, access } = deps;
  const organizationOf = organizationIn(deps);
  const keyOf = async (request: FastifyRequest): Promise<Uint8Array> =>
    identityKey((await getOrganization(db, organizationOf(request))).link_secret);

  server.post(
    '/api/v1/identify',
    {
      onRequest: access.require('secret', 'publishable'),
      schema: {
        operationId: 'identify',
        summary: 'Tell whose visitor it is: once, and for ever',
        tags,
        security,
        body: identifyBody,
        response: { 200: identifiedSchema, ...refusals, 409: errorResponseSchema },
      },
    },
    async (request) => {
      const linked = await identify(db, access.principal(request), request.body, clock.now());
      return { linked: true, user_id: linked.userId, already: !linked.isNew };
    },
  );

  server.post(
    '/api/v1/identity-tokens',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'createIdentityToken',
        summary: 'A token with which a browser may identify its visitor as that user',
        tags,
        security,
        body: tokenBody,
        response: { 200: tokenSchema, ...refusals },
      },
    },
    async (request) => {
      const { user_id: userId, distinct_id: distinctId, expires_in_seconds: seconds } = request.body;
      const organizationId = organizationOf(request);
      const given = { organizationId, key: await keyOf(request), userId, distinctId, seconds };
      const { token, expiresAt } = await signIdentityToken(given, clock.now());
      return { token, expires_at: expiresAt.toISOString() };
    },
  );

  server.get(
    '/api/v1/identity-key',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'getIdentityKey',
        summary: 'The key with which your backend can sign identity tokens itself',
        tags,
        security,
        response: { 200: keySchema, ...refusals },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const key = Buffer.from(await keyOf(request)).toString('base64url');
      return { key, algorithm: 'HS256' as const, audience: identityAudience };
    },
  );
};

const registerPersonRoutes = (server: HttpServer, deps: IdentityRoutesDeps): void => {
  const { db, clock, access } = deps;
  const organizationOf = organizationIn(deps);

  server.put(
    '/api/v1/consent',
    {
      onRequest: access.require('secret', 'publishable'),
      schema: {
        operationId: 'stateConsent',
        summary: 'Say what a visitor or a user allows',
        tags,
        security,
        body: consentBody,
        response: { 202: consentTakenSchema, ...refusals },
      },
    },
    async (request, reply) => {
      const event_id = await stateConsent(db, access.principal(request), request.body, clock.now());
      return reply.status(202).send({ event_id });
    },
  );

  server.get(
    '/api/v1/users/:id/consent',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'getConsent',
        summary: 'What a user allows',
        tags,
        security,
        params: userParams,
        response: { 200: consentSchema, ...refusals },
      },
    },
    async (request) => {
      const { id } = request.params;
      const who = { organizationId: organizationOf(request), userId: id, distinctId: null };
      const [consent] = await readConsents(db, [who]);
      return {
        user_id: id,
        ads_allowed: consent?.adsAllowed ?? null,
        analytics_allowed: consent?.analyticsAllowed ?? null,
      };
    },
  );

  server.get(
    '/api/v1/users/:id/events',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'listUserEvents',
        summary: 'Everything that a user did, also before it was known who it was',
        tags,
        security,
        params: userParams,
        querystring: personQuery,
        response: { 200: personEventsSchema, ...refusals },
      },
    },
    async (request) => {
      const who = { organizationId: organizationOf(request), userId: request.params.id };
      const { events, nextCursor } = await readPersonEvents(db, who, request.query);
      return {
        events: events.map((event) =>
          toCanonicalEvent({ ...event, properties: { ...event.properties, ...event.derived } }),
        ),
        nextCursor,
      };
    },
  );
};

const registerErasureRoutes = (server: HttpServer, deps: IdentityRoutesDeps): void => {
  const { db, clock, access } = deps;
  const organizationOf = organizationIn(deps);
  const onRequest = access.require('secret');
  const missing = (id: string) =>
    new RendermillError('not_found', { message: `There is no erasure ${id} here.` });

  server.delete(
    '/api/v1/users/:id/personal-data',
    {
      onRequest,
      schema: {
        operationId: 'eraseUser',
        summary:
          'Forget a user: in the log, and at PostHog. Whoever comes under the id later is somebody new',
        tags,
        security,
        params: userParams,
        response: { 202: erasureSchema, ...refusals },
      },
    },
    async (request, reply) => {
      const who = { organizationId: organizationOf(request), userId: request.params.id };
      const id = await askToErase(db, who, clock.now());
      return reply.status(202).send(receivedErasure(id));
    },
  );

  server.get(
    '/api/v1/erasures',
    {
      onRequest,
      schema: {
        operationId: 'listErasures',
        summary: 'Requests to forget a person, newest first',
        tags,
        security,
        querystring: pageQuery,
        response: { 200: erasuresSchema, ...refusals },
      },
    },
    async (request) => {
      const { erasures, nextCursor } = await listErasures(db, organizationOf(request), request.query);
      return { erasures: erasures.map(presentErasure), nextCursor };
    },
  );

  server.get(
    '/api/v1/erasures/:id',
    {
      onRequest,
      schema: {
        operationId: 'getErasure',
        summary: 'How far a request to forget a person is',
        tags,
        security,
        params: erasureParams,
        response: { 200: erasureSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = await findErasure(db, organizationOf(request), id);
      if (found) return presentErasure(found);
      if (await isErasureAsked(db, organizationOf(request), id)) return receivedErasure(id);
      throw missing(id);
    },
  );

  server.post(
    '/api/v1/erasures/:id/retry',
    {
      onRequest,
      schema: {
        operationId: 'retryErasure',
        summary: 'Ask PostHog once more where it was given up',
        tags,
        security,
        params: erasureParams,
        response: { 200: erasureSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const organizationId = organizationOf(request);
      await db.transaction().execute((tx) => retryErasure(tx, organizationId, id, clock.now()));
      const found = await findErasure(db, organizationId, id);
      if (!found) throw missing(id);
      return presentErasure(found);
    },
  );
};
