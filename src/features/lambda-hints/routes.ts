/**
 * Where a Lambda render says that it has ended: a hint, which wakes whoever watches that render, and changes no record. What is true is
 * read from the render's own progress, so that a hint may be missing, come late, twice, or again: nothing depends on it but seconds.
 */
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import type { Database } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { isSignedWith } from './verify-signature.ts';

export interface LambdaHintRoutesDeps {
  readonly db: Database;
  /** Absent: there is no such route. */
  readonly secret: string | undefined;
}

/** Beside these Remotion tells outcome, file and cost, which are read where they are true. */
const hintSchema = z.looseObject({ renderId: z.string().regex(/^[\w-]{1,128}$/) });

const path = '/api/lambda/webhook';

export const registerLambdaHintRoutes = (server: HttpServer, { db, secret }: LambdaHintRoutesDeps): void => {
  void server.register(async (scope: HttpServer) => {
    readBytes(scope);
    scope.post(
      path,
      {
        onRequest: async () => {
          if (secret !== undefined) return;
          throw new RendermillError('not_found', { message: `There is no route POST ${path}.` });
        },
        schema: {
          operationId: 'hintLambdaRender',
          summary: "The end of a render on AWS Lambda, told by Remotion's webhook",
          description:
            'For the function, not for you: signed with LAMBDA_WEBHOOK_SECRET in X-Remotion-Signature. It only makes the worker look sooner.',
          tags: ['Operation'],
          response: {
            204: z.null().describe('Taken'),
            ...Object.fromEntries([400, 401, 404, 413, 415, 503].map((code) => [code, errorResponseSchema])),
          },
        },
      },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        if (!isSignedWith(secret ?? '', body, request.headers['x-remotion-signature']))
          throw new RendermillError('unauthenticated', { message: 'The signature is not valid.' });
        await notify(db, 'rendermill_lambda', readHint(body).renderId);
        return reply.status(204).send(null);
      },
    );
  });
};

/** The signature is that of the bytes, so nothing may read them before it. */
const readBytes = (scope: HttpServer): void => {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => bytes,
  );
};

const readHint = (body: Buffer): z.infer<typeof hintSchema> => {
  const parsed = hintSchema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  throw new RendermillError('invalid_request', { message: 'The body names no render.' });
};

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new RendermillError('invalid_json', { cause: error });
  }
};
