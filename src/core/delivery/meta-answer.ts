import { isRecord } from './read-context.ts';
import type { HttpAnswer, RequestOutcome } from './request-outcome.ts';

/**
 * What Meta's answer says of the events of a request. Codes: developers.facebook.com/docs/graph-api/guides/error-handling and
 * …/docs/graph-api/overview/rate-limiting. A request is taken or refused as a whole.
 */
export const readMetaAnswer = (answer: HttpAnswer, sent: number): RequestOutcome => {
  const { status, text: response } = answer;
  const body = parse(answer);
  if (status === 200) return readAccepted(answer, body, sent);
  const error = readError(body);
  if (isAboutEvents(status, error)) {
    return { type: 'rejected', error: describe(status, error), final: true, status, response };
  }
  const { retryAfterMs } = answer;
  return {
    type: 'unavailable',
    error: describe(status, error),
    status,
    response,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
};

/** It answers 200 and a smaller number where it has dropped events, which it does not name. */
const readAccepted = (
  { status, text: response }: HttpAnswer,
  body: Readonly<Record<string, unknown>> | undefined,
  sent: number,
): RequestOutcome => {
  const received = body?.events_received;
  if (typeof received !== 'number') {
    const error = "the answer was 200, but not Meta's; check META_HOST";
    return { type: 'unavailable', error, status, response };
  }
  if (received >= sent) return { type: 'accepted', status, response };
  const error = `Meta received ${received} of ${sent} events`;
  return { type: 'rejected', error, final: false, status, response };
};

interface GraphError {
  readonly code: number;
  readonly subcode: number;
  readonly isTransient: boolean;
  readonly text: string;
}

const invalidParameter = 100;
/** "Object with ID … does not exist": the pixel, not an event. */
const noSuchObject = 33;
/** Errors of this family name what is wrong with an event. */
const isEventSubcode = (subcode: number): boolean => subcode >= 2_804_000 && subcode < 2_805_000;

const isAboutEvents = (status: number, error: GraphError | undefined): boolean => {
  if (status === 413 || status === 422) return true;
  if (status !== 400 || error === undefined || error.isTransient) return false;
  if (isEventSubcode(error.subcode)) return true;
  return error.code === invalidParameter && error.subcode !== noSuchObject;
};

const tokenCodes: ReadonlySet<number> = new Set([102, 190]);
const isPermission = (code: number): boolean => code === 3 || code === 10 || (code >= 200 && code < 300);
const limitCodes: ReadonlySet<number> = new Set([4, 17, 32, 341, 613]);
const isLimit = (code: number): boolean => limitCodes.has(code) || (code >= 80_000 && code < 80_100);

const describe = (status: number, error: GraphError | undefined): string => {
  if (error === undefined) return `Meta answered ${status}`;
  const { code, text } = error;
  if (tokenCodes.has(code)) return `Meta does not accept META_ACCESS_TOKEN (${code}): ${text}`;
  if (isPermission(code)) return `META_ACCESS_TOKEN may not send to META_PIXEL_ID (${code}): ${text}`;
  if (isLimit(code)) return `Meta limits the rate (${code}): ${text}`;
  return `Meta answered ${status} (${code}): ${text}`;
};

const readError = (body: Readonly<Record<string, unknown>> | undefined): GraphError | undefined => {
  const error = body?.error;
  if (!isRecord(error)) return undefined;
  const { code, error_subcode, is_transient, error_user_msg, message } = error;
  return {
    code: typeof code === 'number' ? code : 0,
    subcode: typeof error_subcode === 'number' ? error_subcode : 0,
    isTransient: is_transient === true,
    text: [error_user_msg, message].find((text) => typeof text === 'string') ?? '',
  };
};

const parse = ({ text }: HttpAnswer): Readonly<Record<string, unknown>> | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
};
