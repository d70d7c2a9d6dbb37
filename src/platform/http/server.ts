import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from '@fastify/helmet';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchema,
  LogController,
  type RawServerDefault,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { type ErrorCode, RendermillError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Logger } from '../log/log.ts';
import { limitBodyTime, longestBodyMs } from './body-time.ts';
import { errorResponseSchema, toRendermillError } from './error-response.ts';
import { readJson } from './read-json.ts';
import { withoutUnusedSchemas } from './unused-schemas.ts';

/** A server whose routes are typed by the zod schemas that validate them. */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Props are data, not media: files go by URL or in the bundle. */
export const maxBodyBytes = 1024 * 1024;
const headersTimeoutMs = 30_000;
/** A thousand file ids in one address have 37 kB; Node's own limit is 16. */
const maxHeaderBytes = 64 * 1024;
const retryAfterSeconds = 5;
/** An id has up to 128 characters, each up to three bytes, each encoded as %XX. */
const maxEncodedIdLength = 128 * 9;

export interface HttpServerOptions {
  readonly log: Logger;
  readonly version: string;
  /** Whose X-Forwarded-For is believed: of so many proxies before us, or of those at these addresses. False: nobody's. */
  readonly trustProxy: false | number | string[];
  /** Told of each answer of 500 and above once it has left. Must not throw. */
  readonly onFailure?: (failure: RequestFailure) => void;
}

export interface RequestFailure {
  readonly request: FastifyRequest;
  /** Its pattern, never the address: that has ids. */
  readonly route: string;
  readonly status: number;
  readonly code: ErrorCode;
}

export const createHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const server: HttpServer = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    // A line per request says nothing that the metrics do not; failures are logged where they are answered.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    http: { maxHeaderSize: maxHeaderBytes },
    trustProxy: trustedProxies(options.trustProxy),
    genReqId: () => newId(),
    // A client that sends its request a byte a second must not keep a connection for ever. Node knows one limit for all routes:
    // this is that of the longest upload, and each route's own is kept beside it.
    requestTimeout: longestBodyMs,
    // What the router refuses before there is a route: an address that is not properly encoded, a parameter that is too long.
    frameworkErrors: answerError,
    routerOptions: { maxParamLength: maxEncodedIdLength },
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  // Fastify reads text as well, which here would be a body of no known form.
  server.removeContentTypeParser('text/plain');
  readJson(server);
  server.server.headersTimeout = headersTimeoutMs;
  limitBodyTime(server);
  answerErrors(server);
  if (options.onFailure) tellOfFailures(server, options.onFailure);
  await server.register(helmet, {
    contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
  });
  await describeApi(server, options.version);
  return server;
};

/** The nearest is hop 0. Whoever reaches us past them can pose as any address: with a number, only they may reach this port. */
const trustedProxies = (trusted: HttpServerOptions['trustProxy']) =>
  typeof trusted === 'number' ? (_address: string, hop: number) => hop < trusted : trusted;

/** What a request was answered with, until its answer has left. */
const failures = new WeakMap<FastifyRequest, ErrorCode>();

const tellOfFailures = (server: HttpServer, onFailure: (failure: RequestFailure) => void): void => {
  server.addHook('onResponse', async (request, reply) => {
    const code = failures.get(request);
    if (code === undefined) return;
    onFailure({ request, route: request.routeOptions.url ?? 'none', status: reply.statusCode, code });
  });
};

/** Nobody reads the answer; the number is the one that proxies write into their logs for it. */
const clientLeftStatus = 499;

const answerError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  // Work that was ended with `clientLeft`: no failure of ours.
  if (reply.raw.destroyed && thrown instanceof Error && thrown.name === 'AbortError') {
    request.log.info({ requestId: request.id }, 'client left');
    return reply.status(clientLeftStatus).send();
  }
  const error = toRendermillError(thrown, request);
  if (error.status >= 500) {
    // Of a full line the operator hears by whom, and how often, from `onFailure`.
    if (error.code !== 'service_overloaded')
      request.log.error({ err: thrown, code: error.code, requestId: request.id }, 'request failed');
    failures.set(request, error.code);
  }
  if (error.status === 503 || error.status === 429)
    reply.header('retry-after', String(error.details?.retryAfterSeconds ?? retryAfterSeconds));
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .status(error.status)
    .header('x-request-id', request.id)
    .send({
      error: {
        code: error.code,
        message: error.message,
        ...(error.details === undefined ? {} : { details: error.details }),
        requestId: request.id,
      },
    });
};

const answerErrors = (server: HttpServer) => {
  server.setErrorHandler(answerError);
  server.setNotFoundHandler((request) => {
    throw new RendermillError('not_found', {
      message: `There is no route ${request.method} ${request.url.split('?')[0]}.`,
    });
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
};

/** Whatever needs a key may be asked too often with it. A route that describes no answers keeps to that. */
const withRateLimit = (schema: FastifySchema): FastifySchema =>
  schema?.security === undefined || schema.response === undefined
    ? schema
    : { ...schema, response: { ...schema.response, 429: errorResponseSchema } };

const describeApi = async (server: HttpServer, version: string) => {
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rendermill',
        version,
        description: 'Renders Remotion compositions to stills and videos, metered and recorded.',
      },
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: rm_sk_…' } },
      },
    },
    transform: (route) => jsonSchemaTransform({ ...route, schema: withRateLimit(route.schema) }),
    // Puts the schemas that have an id where the references to them lead.
    transformObject: (document) => withoutUnusedSchemas(jsonSchemaTransformObject(document)),
  });
  const withoutTopBar = { css: [{ filename: 'rendermill.css', content: '.topbar { display: none }' }] };
  await server.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Rendermill', ...withoutTopBar },
  });
  server.get('/', { schema: { hide: true } as object }, (_request, reply) => reply.redirect('/docs'));
  server.get('/openapi.json', { schema: { hide: true } as object }, () => server.swagger());
};
