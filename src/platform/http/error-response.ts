import type { FastifyError, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ErrorCode, RendermillError } from '../../core/errors.ts';
import { cutText } from '../../core/storable-text.ts';
import { toDatabaseError } from '../db/errors.ts';

/** What every refusal and failure looks like on the wire. */
export const errorResponseSchema = z
  .object({
    error: z.object({
      code: z.string().describe('A code of the error catalog'),
      message: z.string().describe('What was wrong, what was expected, what to do'),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string().describe('Name it when you ask for help'),
    }),
  })
  .meta({ id: 'Error', description: 'Refused or failed: error.code says which, error.message what to do' });

const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
};

/** A list of thousands that are all wrong in one way would be an answer of megabytes. */
const maxReasons = 100;
/** One reason may name thousands of unknown keys. */
const maxReasonText = 300;

const fromValidation = (
  error: FastifyError & { validation: readonly { instancePath: string; message?: string }[] },
) =>
  invalidRequest(
    error.validationContext ?? 'request',
    error.validation.map(({ instancePath, message = 'is not valid' }) => ({
      path: instancePath.split('/').filter(Boolean),
      message,
    })),
  );

/** What a route's schema would have said of it. `where`: the part of the request, as body. */
export const invalidRequest = (
  where: string,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): RendermillError => {
  const reasons = issues.slice(0, maxReasons).map(({ path, message }) => ({
    path: path.map(String).join('.') || where,
    reason: cutText(message, maxReasonText),
  }));
  const more = issues.length - reasons.length;
  return new RendermillError('invalid_request', {
    message: `The request is not valid: ${reasons.map(({ path, reason }) => `${path}: ${reason}`).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
    details: { in: where, reasons },
  });
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What to do where a body is larger than the route takes; absent: what helps with data of any kind. */
    readonly whenTooLarge?: string;
  }
}

const usualAdvice = 'Send less at once; media goes by its URL or in the bundle.';

const inBytes = (bytes: number): string =>
  bytes % (1024 * 1024) === 0 ? `${bytes / 1024 / 1024} MB (${bytes} bytes)` : `${bytes} bytes`;

/** Fastify's own knows neither how much was sent nor what the route takes. */
const bodyTooLarge = ({ routeOptions, headers }: FastifyRequest): RendermillError => {
  const { bodyLimit: limit, config } = routeOptions;
  // Absent where it came in pieces and was cut off.
  const announced = headers['content-length'];
  const wrong =
    announced === undefined
      ? `The body has more than the ${inBytes(limit)} that are taken here.`
      : `The body has ${announced} bytes, and at most ${inBytes(limit)} are taken here.`;
  return new RendermillError('payload_too_large', {
    message: `${wrong} ${config.whenTooLarge ?? usualAdvice}`,
    details: { limit, ...(announced === undefined ? {} : { sizeInBytes: Number(announced) }) },
  });
};

/** Fastify's, the parser's and Postgres' errors become codes of the catalog here; what is not recognised is `internal`. `request`: the one that met it. */
export const toRendermillError = (thrown: unknown, request?: FastifyRequest): RendermillError => {
  const error = toDatabaseError(thrown);
  if (error instanceof RendermillError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return fromValidation(error);
  if (!(error instanceof Error)) return new RendermillError('internal', { cause: thrown });
  const { code, statusCode } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' && request) return bodyTooLarge(request);
  const known = fastifyCodes[code ?? ''];
  if (known) return new RendermillError(known, { cause: error });
  // secure-json-parse and JSON.parse: truncated JSON, NaN, __proto__.
  if (error instanceof SyntaxError && statusCode === 400) {
    return new RendermillError('invalid_json', { message: `The body is not valid JSON: ${error.message}.` });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new RendermillError('invalid_request', { message: error.message, cause: error });
  }
  return new RendermillError('internal', { cause: thrown });
};
