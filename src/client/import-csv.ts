/** A CSV to the service, streamed: a Blob of `fs.openAsBlob` is read from the disk as it is sent. */
import { ApiError } from './api-error.ts';
import { readRetryAfter, repeatWhenAsked } from './come-back.ts';
import type { ImportCsvOptions } from './import-types.ts';
import { type ClientOptions, unreachable } from './transport.ts';

/** Answers once the whole file is read and judged. Rejects with an ApiError: `rows_refused` has the problems in its details. */
export const importCsv = <Answer>(
  options: ClientOptions,
  file: Blob,
  order: object,
  given: ImportCsvOptions = {},
): Promise<Answer> => {
  const { idempotencyKey, signal } = given;
  const request = { method: 'POST', hasIdempotencyKey: idempotencyKey !== undefined, signal };
  return repeatWhenAsked(options, request, () => send<Answer>(options, file, order, given));
};

const send = async <Answer>(
  { url, key }: ClientOptions,
  file: Blob,
  order: object,
  { idempotencyKey, signal }: ImportCsvOptions,
): Promise<Answer> => {
  const base = url.replace(/\/+$/, '');
  const body = new FormData();
  // The service needs to know what it reads before it reads it.
  body.append('options', JSON.stringify(order));
  body.append('file', file, 'import.csv');
  try {
    const response = await fetch(`${base}/api/imports/csv`, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${key}`,
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    // A proxy in between answers with pages of its own: then the status says what there is to say.
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer as Answer;
    throw refusal(base, response, answer);
  } catch (error) {
    throw error instanceof ApiError || signal?.aborted ? error : unreachable(base, error);
  }
};

const refusal = (base: string, response: Response, answer: unknown): ApiError => {
  const { status } = response;
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const retryAfterMs = readRetryAfter(response);
  const { error } = (answer ?? {}) as { error?: { code?: unknown; message?: unknown; details?: unknown } };
  if (typeof error?.code === 'string' && typeof error.message === 'string') {
    const details = error.details as Readonly<Record<string, unknown>> | undefined;
    return new ApiError({
      code: error.code,
      message: error.message,
      details,
      requestId,
      status,
      retryAfterMs,
    });
  }
  const message = `What answers at ${base} does not speak Rendermill's API: status ${status}.`;
  return new ApiError({ code: 'unexpected_answer', status, message, requestId, retryAfterMs });
};
