import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { maxFileBytes, maxListedProblems } from '../../core/csv/csv-limits.ts';
import { delimiters } from '../../core/csv/detect-delimiter.ts';
import { csvEncodings } from '../../core/csv/detect-encoding.ts';
import { type CsvImportOptions, csvImportOptionsSchema } from '../../core/csv/import-options.ts';
import { RendermillError } from '../../core/errors.ts';
import { cutText } from '../../core/storable-text.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import type { Access } from '../../platform/http/access.ts';
import { clientLeft } from '../../platform/http/client-left.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { type ImportCsvDeps, importCsv } from './import-csv.ts';
import { tooLarge } from './spool-upload.ts';

export interface CsvImportRoutesDeps extends ImportCsvDeps {
  readonly access: Access<Principal>;
}

const problemSchema = z.object({
  line: z.int().describe('Of the file, from 1: where the record begins'),
  column: z.string().nullable().describe('As the header names it; null: the row as a whole'),
  reason: z.string(),
  value: z.string().optional().describe('What the cell holds, shortened'),
});

const reportShape = {
  version: z.string().describe('Version of the composition'),
  rows: z.int().describe('Without the header, empty rows, and those that belong to the product before them'),
  accepted: z.int(),
  refused: z.int(),
  skipped: z.int().describe('Empty, or no product of their own'),
  cells: z.int().describe('Accepted rows × sizes'),
  limit: z.int().nullable().describe('Exports a day; null: no limit'),
  remaining: z.int().nullable(),
  resetAt: z.iso.datetime().describe("Start of the organization's next day"),
  problems: z.array(problemSchema).readonly().describe(`The first ${maxListedProblems}`),
  problemCount: z.int(),
  mapping: z.record(z.string(), z.string().nullable()).describe('Prop: the column that fills it'),
  encoding: z.enum(csvEncodings),
  delimiter: z.enum(delimiters),
};

const acceptanceSchema = z
  .object({
    id: z.uuid().describe('Read, retry, cancel and download it as a campaign'),
    status: z.literal('accepted'),
    ...reportShape,
  })
  .meta({ id: 'CsvImport', description: 'Accepted: the limit is reserved for all of its cells' });

const planSchema = z
  .object({
    dryRun: z.literal(true),
    allowed: z.boolean().describe('Whether it would be accepted now'),
    refusal: z.object({ code: z.string(), message: z.string() }).nullable(),
    ...reportShape,
    preview: z
      .array(
        z.object({
          line: z.int(),
          name: z.string(),
          locale: z.string().nullable(),
          props: z.record(z.string(), z.unknown()),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'CsvImportPlan', description: 'What the import would be; nothing was accepted' });

/** For the documentation: the parts of the form are read by hand, as they arrive. */
const formSchema = z.object({
  options: csvImportOptionsSchema.describe('JSON; comes before the file'),
  file: z.string().meta({ format: 'binary', description: `The CSV; up to ${maxFileBytes / 1024 / 1024} MB` }),
});

const failures = (...codes: readonly number[]) =>
  Object.fromEntries(codes.map((code) => [code, errorResponseSchema]));

/** Of the form around the file: names, boundaries, the options. */
const maxOptionsBytes = 512 * 1024;
const maxBodyBytes = maxFileBytes + 2 * maxOptionsBytes;
/** 100 MB at 1 Mbit/s. */
const uploadTimeMs = 14 * 60_000;
/** A client that was refused may still be sending: it is listened to for so long, so that it reads the answer first. */
const lingerMs = 5_000;

/** In a scope of its own: no other route takes multipart, or a body of this size. */
export const registerCsvImportRoutes = (server: HttpServer, deps: CsvImportRoutesDeps): void => {
  void server.register(async (scope: HttpServer) => {
    await scope.register(multipart, { throwFileSizeLimit: false });
    scope.post(
      '/api/imports/csv',
      {
        onRequest: [
          deps.access.require('secret'),
          async (request) => {
            const sent = Number(request.headers['content-length'] ?? 0);
            if (sent > maxBodyBytes) throw tooLarge(sent);
          },
        ],
        config: { bodyTimeMs: uploadTimeMs },
        onError: async (request, reply) => finishRefused(request, reply),
        validatorCompiler: (route) =>
          route.httpPart === 'body' ? () => true : validatorCompiler(route as never),
        schema: {
          operationId: 'importCsv',
          summary: 'A batch of a CSV file: rows × sizes',
          description:
            'multipart/form-data with the field `options` (JSON) and then `file`. The batch is read, canceled, retried and downloaded as a campaign.',
          tags: ['Campaigns'],
          security: [{ apiKey: [] }],
          consumes: ['multipart/form-data'],
          headers: z.object({
            'idempotency-key': z
              .string()
              .min(1)
              .max(255)
              .optional()
              .describe(
                'The same key, options and file within 24 hours: the same answer and no second batch',
              ),
          }),
          // Strict: a misspelt `dryRun` would be the real thing.
          querystring: z.strictObject({
            dryRun: z
              .enum(['true', 'false'])
              .optional()
              .describe('true: as `dryRun` in the options; nothing is accepted'),
          }),
          body: formSchema,
          response: {
            200: planSchema,
            202: acceptanceSchema,
            ...failures(400, 401, 403, 404, 409, 413, 415, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const signal = clientLeft(reply);
        const { options, file } = await readForm(request).catch((error: unknown) => {
          // The parser's own errors: no boundary, a part that breaks off.
          throw error instanceof RendermillError ? error : invalidForm(formExpected);
        });
        const outcome = await importCsv(deps, {
          organizationId: deps.access.principal(request).organizationId,
          options: request.query.dryRun === 'true' ? { ...options, dryRun: true } : options,
          file: file.file,
          idempotencyKey: request.headers['idempotency-key'],
          correlationId: request.id,
          signal,
        });
        if (outcome.type === 'planned') return reply.status(200).send(outcome.answer);
        if (outcome.replayed) reply.header('idempotent-replayed', 'true');
        return reply
          .status(202)
          .header('location', `/api/campaigns/${outcome.answer.id}`)
          .send(outcome.answer);
      },
    );
  });
};

const invalidForm = (message: string): RendermillError => new RendermillError('invalid_request', { message });

/** What is wrong with thousands of keys in one way would be an answer of megabytes. */
const maxReasons = 50;
const maxReasonText = 300;

const formExpected = 'Expected multipart/form-data with the field "options" and then "file".';

const readForm = async (
  request: FastifyRequest,
): Promise<{ options: CsvImportOptions; file: MultipartFile }> => {
  if (!request.isMultipart()) throw new RendermillError('unsupported_media_type', { message: formExpected });
  const limits = { fields: 1, files: 1, fieldSize: maxOptionsBytes, fileSize: maxFileBytes + 1 };
  let options: CsvImportOptions | undefined;
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') {
      if (part.fieldname !== 'file') throw invalidForm(`The file's field must be called "file".`);
      if (options === undefined) throw invalidForm('The field "options" must come before "file".');
      return { options, file: part };
    }
    if (part.fieldname !== 'options') throw invalidForm(`There is no field "options" before the others.`);
    options = parseOptions(part.value, part.valueTruncated);
  }
  throw invalidForm(options === undefined ? formExpected : 'The form has no file.');
};

/** A client library may have sent them with a type of their own, and then they are read already. */
const parseOptions = (value: unknown, truncated: boolean): CsvImportOptions => {
  if (truncated) throw invalidForm(`"options" may have up to ${maxOptionsBytes / 1024} kB.`);
  const parsed = csvImportOptionsSchema.safeParse(typeof value === 'string' ? parseJson(value) : value);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.slice(0, maxReasons).map((issue) => ({
    path: cutText(['options', ...issue.path].join('.'), maxReasonText),
    reason: cutText(issue.message, maxReasonText),
  }));
  throw new RendermillError('invalid_request', {
    message: `The options are not valid: ${reasons.map(({ path, reason }) => `${path}: ${reason}`).join('; ')}.`,
    details: { in: 'options', reasons },
  });
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new SyntaxError('"__proto__" is not allowed');
      return value;
    });
  } catch (error) {
    throw new RendermillError('invalid_json', {
      message: `"options" is not valid JSON: ${(error as Error).message}.`,
    });
  }
};

/** Takes what a refused client is still sending, for a while: a connection that is closed at once loses the answer. */
const finishRefused = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
  const { raw } = request;
  if (raw.complete || raw.destroyed) return;
  raw.unpipe();
  raw.resume();
  reply.raw.once('finish', () => {
    if (raw.complete) return;
    const timer = setTimeout(() => raw.socket.destroy(), lingerMs);
    raw.once('close', () => clearTimeout(timer));
    raw.once('end', () => clearTimeout(timer));
  });
};
