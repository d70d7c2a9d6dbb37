import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getWebhook, listWebhooks, removeWebhook } from '../../domain/deliveries/webhook-endpoints.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { enableEndpoint } from './webhooks/enable-endpoint.ts';
import { registerWebhook, updateWebhook } from './webhooks/keep-webhook.ts';
import {
  createdWebhookSchema,
  enabledWebhookSchema,
  enablingSchema,
  listedWebhookSchema,
  newWebhookSchema,
  presentMissed,
  rotationSchema,
  secretSchema,
  testOutcomeSchema,
  webhookChangeSchema,
  webhookSchema,
} from './webhooks/schemas.ts';
import { sendTest, type TestSender } from './webhooks/send-test.ts';
import { rotateSecret, showChecked, showListed, showSecret, showWebhook } from './webhooks/show-webhook.ts';

export interface WebhookRoutesDeps extends TestSender {
  readonly access: Access<Principal>;
}

const refusals = {
  400: errorResponseSchema,
  401: errorResponseSchema,
  403: errorResponseSchema,
  503: errorResponseSchema,
};
const refusalsOfOne = { ...refusals, 404: errorResponseSchema };
const params = z.object({ id: z.string().max(128) });
const described = { tags: ['Webhooks'], security: [{ apiKey: [] }] };
/** What holds a secret is kept by nobody on the way. */
const unkept = { 'cache-control': 'no-store' };

/** Endpoints to which an organization's events are sent. */
export const registerWebhookRoutes = (server: HttpServer, deps: WebhookRoutesDeps): void => {
  const routes = { server, deps, onRequest: deps.access.require('secret', 'admin') };
  registerListing(routes);
  registerChanges(routes);
  registerEnabling(routes);
  registerSecrets(routes);
  registerTest(routes);
};

interface Routes {
  readonly server: HttpServer;
  readonly deps: WebhookRoutesDeps;
  readonly onRequest: ReturnType<Access<Principal>['require']>;
}

const webhookOf = (deps: WebhookRoutesDeps, request: FastifyRequest, id: string) => ({
  organizationId: deps.access.principal(request).organizationId,
  id,
});

const registerListing = ({ server, deps, onRequest }: Routes): void => {
  server.get(
    '/api/v1/webhooks',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'listWebhooks',
        summary: 'The endpoints, with how they are',
        response: { 200: z.object({ webhooks: z.array(listedWebhookSchema) }), ...refusals },
      },
    },
    async (request) => {
      const { organizationId } = deps.access.principal(request);
      const found = await listWebhooks(deps.db, organizationId);
      return { webhooks: await Promise.all(found.map((endpoint) => showListed(deps.db, endpoint))) };
    },
  );

  server.get(
    '/api/v1/webhooks/:id',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'getWebhook',
        summary: 'An endpoint, with how it is',
        params,
        response: { 200: webhookSchema, ...refusalsOfOne },
      },
    },
    async (request) => {
      const webhook = webhookOf(deps, request, request.params.id);
      return showWebhook(deps.db, webhook.organizationId, await getWebhook(deps.db, webhook));
    },
  );
};

const registerChanges = ({ server, deps, onRequest }: Routes): void => {
  server.post(
    '/api/v1/webhooks',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'createWebhook',
        summary: 'Add an endpoint, which gets what happens from now on; answers the secret that signs',
        body: newWebhookSchema,
        response: { 201: createdWebhookSchema, ...refusals, 409: errorResponseSchema },
      },
    },
    async (request, reply) => {
      const { organizationId } = deps.access.principal(request);
      const { secret, ...added } = await registerWebhook(
        deps,
        organizationId,
        request.body,
        deps.clock.now(),
      );
      reply.status(201).headers(unkept);
      return { ...(await showChecked(deps.db, added)), secret };
    },
  );

  server.patch(
    '/api/v1/webhooks/:id',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'updateWebhook',
        summary: 'Change an endpoint, disable it, or enable it again',
        params,
        body: webhookChangeSchema,
        response: { 200: webhookSchema, ...refusalsOfOne },
      },
    },
    async (request) => {
      const webhook = webhookOf(deps, request, request.params.id);
      return showChecked(deps.db, await updateWebhook(deps, webhook, request.body, deps.clock.now()));
    },
  );

  server.delete(
    '/api/v1/webhooks/:id',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'deleteWebhook',
        summary: 'Remove an endpoint; what waits for it is not sent any more',
        params,
        response: { 204: z.null(), ...refusalsOfOne },
      },
    },
    async (request, reply) => {
      const webhook = webhookOf(deps, request, request.params.id);
      await removeWebhook({ db: deps.db, log: request.log }, webhook, deps.clock.now());
      return reply.status(204).send(null);
    },
  );
};

/** Of one request: what is more would take longer than a client waits. */
const mostMissed = 100_000;

const registerEnabling = ({ server, deps, onRequest }: Routes): void => {
  server.post(
    '/api/v1/webhooks/:id/enable',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'enableWebhook',
        summary:
          'Send again to an endpoint that was disabled: what waited at once, and what it missed if asked for',
        description:
          'What waited goes out in order, with all its attempts before it. {"replay": true} also sends what was received while it was disabled (up to 100,000 events) and what was given up since it failed; without it, the answer has the body for POST /api/v1/events/replay.',
        params,
        body: enablingSchema.nullish().transform((body) => body ?? enablingSchema.parse({})),
        response: { 200: enabledWebhookSchema, ...refusalsOfOne },
      },
    },
    async (request) => {
      const webhook = webhookOf(deps, request, request.params.id);
      const { id } = await getWebhook(deps.db, webhook);
      const order = { replay: request.body.replay, mostMissed };
      const { waiting, missed, resumed } = await enableEndpoint(deps.db, id, order, deps.clock.now());
      return {
        ...(await showWebhook(deps.db, webhook.organizationId, await getWebhook(deps.db, webhook))),
        waiting,
        resumed,
        replay: presentMissed(id, missed),
      };
    },
  );
};

const registerSecrets = ({ server, deps, onRequest }: Routes): void => {
  server.get(
    '/api/v1/webhooks/:id/secret',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'getWebhookSecret',
        summary: 'The secret that signs, once more',
        params,
        response: { 200: secretSchema, ...refusalsOfOne },
      },
    },
    async (request, reply) => {
      const { id } = await getWebhook(deps.db, webhookOf(deps, request, request.params.id));
      reply.headers(unkept);
      return showSecret(deps.db, deps.secretBox, id, deps.clock.now());
    },
  );

  server.post(
    '/api/v1/webhooks/:id/rotate-secret',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'rotateWebhookSecret',
        summary: 'A new secret; the older ones sign beside it for a while',
        params,
        body: rotationSchema.nullish().transform((body) => body ?? rotationSchema.parse({})),
        response: { 200: secretSchema, ...refusalsOfOne },
      },
    },
    async (request, reply) => {
      const { id } = await getWebhook(deps.db, webhookOf(deps, request, request.params.id));
      reply.headers(unkept);
      return rotateSecret(deps.db, deps.secretBox, id, request.body.overlapHours, deps.clock.now());
    },
  );
};

const registerTest = ({ server, deps, onRequest }: Routes): void => {
  server.post(
    '/api/v1/webhooks/:id/test',
    {
      onRequest,
      schema: {
        ...described,
        operationId: 'testWebhook',
        summary: 'Send a message of type webhook_test now, and say what became of it',
        params,
        response: { 200: testOutcomeSchema, ...refusalsOfOne },
      },
    },
    async (request, reply) => {
      const { organizationId, id } = webhookOf(deps, request, request.params.id);
      const endpoint = await getWebhook(deps.db, { organizationId, id });
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return sendTest(deps, { organizationId, id: endpoint.id, url: endpoint.url }, gone.signal);
    },
  );
};
