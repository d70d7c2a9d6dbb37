/**
 * Events from outside: a backend's (`/api/v1/events`) and a browser's (`/api/v1/track`), the catalog that they are held against,
 * and the events that an organization adds to it. `/api/v1/track` has no CORS yet: it comes with the SDK.
 */
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { resolveEventName } from '../../core/events/catalog.ts';
import { describeCatalog } from '../../core/events/json-schema.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { changeOrganization, getOrganization } from '../../domain/accounts/organizations.ts';
import {
  deleteDefinition,
  findDefinition,
  listDefinitions,
  putDefinition,
} from '../../domain/events/event-definitions.ts';
import { type EventVerdict, ingestEvents } from '../../domain/events/ingest.ts';
import type { OwnDefinition } from '../../domain/events/own-definition.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { readBatch, readTracked } from './read-batch.ts';
import {
  batchSchema,
  catalogEntrySchema,
  catalogSchema,
  definitionBodySchema,
  eventSettingsSchema,
  ownDefinitionSchema,
  trackSchema,
  verdictsSchema,
} from './schemas.ts';

export interface TrackingRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly access: Access<Principal>;
}

/** A thousand events of 10 KB each. */
const maxBatchBytes = 10 * 1024 * 1024;
/** 10 MB at 1.5 Mbit/s. */
const batchTimeMs = 60_000;

const tags = ['Events'];
const security = [{ apiKey: [] }];
const failures = (...codes: readonly number[]) =>
  Object.fromEntries(codes.map((code) => [code, errorResponseSchema]));

export const registerTrackingRoutes = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  void server.register(async (scope: HttpServer) => {
    readAnyJson(scope);
    registerIngestion(scope, deps);
  });
  registerCatalog(server, deps);
  registerDefinitions(server, deps);
  registerDeletion(server, deps);
  registerSettings(server, deps);
};

/** Fastify's own parser refuses the whole body for one key named __proto__; here the event that has it is refused, and no other. */
const readAnyJson = (scope: HttpServer): void => {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, text: string) => {
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        throw new RendermillError('invalid_json', {
          message: `The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`,
        });
      }
    },
  );
};

const countOf = (results: readonly EventVerdict[], verdict: EventVerdict['verdict']): number =>
  results.filter((one) => one.verdict === verdict).length;

const receive = async (deps: TrackingRoutesDeps, who: Principal, events: readonly unknown[]) => {
  const { unknown_events } = await getOrganization(deps.db, who.organizationId);
  const sender = {
    organizationId: who.organizationId,
    isPublic: who.kind === 'publishable',
    unknownEvents: unknown_events,
  };
  const results = await ingestEvents(deps.db, sender, events, deps.clock.now());
  return {
    accepted: countOf(results, 'accepted'),
    duplicates: countOf(results, 'duplicate'),
    refused: countOf(results, 'refused'),
    results: [...results],
  };
};

const readsBodyItself = {
  validatorCompiler: (route: { httpPart?: string }) =>
    route.httpPart === 'body' ? () => true : validatorCompiler(route as never),
};

const registerIngestion = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  server.post(
    '/api/v1/events',
    {
      ...readsBodyItself,
      onRequest: deps.access.require('secret'),
      bodyLimit: maxBatchBytes,
      config: { bodyTimeMs: batchTimeMs, whenTooLarge: 'Send the events in several requests.' },
      schema: {
        operationId: 'sendEvents',
        summary: 'Events from your backend: one, or up to 1,000',
        description:
          'An event, an array of events, or {"events": [...]}, up to 10 MB. Each gets a verdict of its own, and a refused one takes no other with it. The id is the idempotency key: send what was not answered again with the same ids.',
        tags,
        security,
        body: batchSchema,
        response: { 200: verdictsSchema, ...failures(400, 401, 403, 413, 415, 503) },
      },
    },
    (request) => receive(deps, deps.access.principal(request), readBatch(request.body)),
  );

  server.post(
    '/api/v1/track',
    {
      ...readsBodyItself,
      onRequest: deps.access.require('publishable', 'secret'),
      schema: {
        operationId: 'trackEvents',
        summary: 'Events of a browser: up to 100 of one visitor',
        description:
          'The source is always web, and the catalog says what may come from there. With a publishable key an event needs a distinct_id, and can name no user.',
        tags,
        security,
        body: trackSchema,
        response: { 200: verdictsSchema, ...failures(400, 401, 403, 413, 415, 503) },
      },
    },
    (request) => receive(deps, deps.access.principal(request), readTracked(request.body)),
  );
};

const presentOwn = (row: OwnDefinition): z.input<typeof ownDefinitionSchema> => ({
  name: row.name,
  description: row.description,
  schemaVersion: row.schema_version,
  sources: row.sources,
  retention: row.retention_class,
  properties: row.properties,
  createdAt: row.created_at.toISOString(),
});

/** Described once, at the first who asks: the catalog does not change while the process lives. */
let described: { name: string }[] | undefined;
const ourEvents = () => {
  described ??= describeCatalog().map((entry) => ({ ...entry }));
  return described;
};

const nameParams = z.object({ name: z.string() });

const registerCatalog = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  const onRequest = deps.access.require('secret', 'publishable', 'admin');

  server.get(
    '/api/v1/catalog',
    {
      onRequest,
      schema: {
        operationId: 'getCatalog',
        summary: 'Every event that has a meaning: of Rendermill, and of your own',
        tags,
        security,
        response: { 200: catalogSchema, ...failures(401, 403, 503) },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      return { events: ourEvents(), own: (await listDefinitions(deps.db, organizationId)).map(presentOwn) };
    },
  );

  server.get(
    '/api/v1/catalog/events/:name',
    {
      onRequest,
      schema: {
        operationId: 'getCatalogEvent',
        summary: 'One event, by its name or an alias',
        tags,
        security,
        params: nameParams,
        response: { 200: catalogEntrySchema, ...failures(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const ours = resolveEventName(request.params.name);
      const event = ourEvents().find(({ name }) => name === ours);
      if (event) return { event };
      const { organizationId } = deps.access.principal(request);
      const versions = await findDefinition(deps.db, organizationId, request.params.name);
      const [newest] = versions;
      if (newest) return { own: presentOwn(newest), versions: versions.map(presentOwn) };
      throw new RendermillError('not_found', {
        message: `Neither the catalog nor your organization has an event "${request.params.name}".`,
      });
    },
  );
};

const registerDefinitions = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  server.put(
    '/api/v1/catalog/events/:name',
    {
      onRequest: deps.access.require('secret'),
      schema: {
        operationId: 'putCatalogEvent',
        summary: 'Define an event of your own, or add to its schema',
        description:
          'A schema that differs makes a new version, and may only add to the one before; events that name a version are held against that one, others against the newest. Up to 500 events.',
        tags,
        security,
        params: nameParams,
        body: definitionBodySchema,
        response: { 200: ownDefinitionSchema, ...failures(400, 401, 403, 409, 503) },
      },
    },
    async (request) => {
      const { description, properties, retention } = request.body;
      const sources = [...new Set(request.body.sources)];
      const definition = {
        organizationId: deps.access.principal(request).organizationId,
        name: request.params.name,
        description,
        sources,
        retention: retention ?? (sources.every((source) => source === 'web') ? 'behaviour' : 'business'),
        properties,
      };
      return presentOwn(
        await deps.db.transaction().execute((tx) => putDefinition(tx, definition, deps.clock.now())),
      );
    },
  );
};

const registerDeletion = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  server.delete(
    '/api/v1/catalog/events/:name',
    {
      onRequest: deps.access.require('secret'),
      schema: {
        operationId: 'deleteCatalogEvent',
        summary: 'Delete an event of your own, with all its versions',
        description:
          'What the log has of it stays as it is. Later ones count as unknown, until the name is defined anew, from version 1.',
        tags,
        security,
        params: nameParams,
        response: { 204: z.null(), ...failures(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const { organizationId } = deps.access.principal(request);
      await deps.db.transaction().execute((tx) => deleteDefinition(tx, organizationId, request.params.name));
      return reply.status(204).send(null);
    },
  );
};

const registerSettings = (server: HttpServer, deps: TrackingRoutesDeps): void => {
  const onRequest = deps.access.require('secret', 'admin');
  const organizationOf = (request: Parameters<typeof deps.access.principal>[0]) =>
    deps.access.principal(request).organizationId;

  server.get(
    '/api/v1/settings/events',
    {
      onRequest,
      schema: {
        operationId: 'getEventSettings',
        summary: 'What becomes of events that nobody has defined',
        tags,
        security,
        response: { 200: eventSettingsSchema, ...failures(401, 403, 503) },
      },
    },
    async (request) => ({
      unknownEvents: (await getOrganization(deps.db, organizationOf(request))).unknown_events,
    }),
  );

  server.put(
    '/api/v1/settings/events',
    {
      onRequest,
      schema: {
        operationId: 'putEventSettings',
        summary: 'Store and mark events that nobody has defined, or refuse them',
        tags,
        security,
        body: eventSettingsSchema,
        response: { 200: eventSettingsSchema, ...failures(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const changed = await deps.db
        .transaction()
        .execute((tx) => changeOrganization(tx, organizationOf(request), request.body));
      return { unknownEvents: changed.unknown_events };
    },
  );
};
