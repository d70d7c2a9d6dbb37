import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import { completionFrame, payloadFrames } from './event-stream.ts';
import { type LambdaFault, takeFault } from './faults.ts';
import type { Invoker } from './invoker.ts';
import type { LambdaFunction } from './lambda-function.ts';
import type { InvocationKind, LambdaStatistics } from './statistics.ts';

const megabyte = 1024 * 1024;
const largestPayloadBytes = { RequestResponse: 6 * megabyte, ResponseStream: 6 * megabyte, Event: megabyte };
const largestAnswerBytes = 6 * megabyte;

export interface InvocationContext {
  readonly invoker: Invoker;
  readonly faults: LambdaFault[];
  readonly statistics: LambdaStatistics;
}

interface Incoming {
  readonly lambda: LambdaFunction;
  readonly kind: InvocationKind;
  readonly payload: string;
  readonly type: string | null;
  readonly fault: LambdaFault | undefined;
}

const typeOf = (payload: unknown): string | null =>
  typeof payload === 'object' && payload !== null && 'type' in payload ? String(payload.type) : null;

const parsePayload = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AwsError(400, 'InvalidRequestContentException', 'Could not parse request body into json.');
  }
};

const cutAfter = (fault: LambdaFault | undefined): number =>
  fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : Number.POSITIVE_INFINITY;

/** Headers go out at once: the client waits for them, and not for the first frame. */
const stream = async (incoming: Incoming, invoker: Invoker, response: ServerResponse): Promise<void> => {
  response.writeHead(200, {
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amzn-requestid': randomUUID(),
    'x-amz-executed-version': '$LATEST',
    'x-amzn-remapped-content-type': 'application/octet-stream',
  });
  response.flushHeaders();
  let left = cutAfter(incoming.fault);
  const cut = (): void => void response.socket?.destroy();
  const write = (frames: Buffer): void => {
    if (left < 0 || response.destroyed) return;
    const isLast = frames.length >= left;
    if (!isLast) response.write(frames);
    else if (left > 0) response.write(frames.subarray(0, left), cut);
    else cut();
    left = isLast ? -1 : left - frames.length;
  };
  const outcome = await invoker.invoke(incoming.lambda, {
    ...incoming,
    onChunk: (chunk) => write(payloadFrames(chunk)),
  });
  write(completionFrame(outcome));
  if (left >= 0 && !response.destroyed) response.end();
};

const answerWhole = async (incoming: Incoming, invoker: Invoker, response: ServerResponse): Promise<void> => {
  const chunks: Buffer[] = [];
  const outcome = await invoker.invoke(incoming.lambda, {
    ...incoming,
    onChunk: (chunk) => chunks.push(chunk),
  });
  if (cutAfter(incoming.fault) < Number.POSITIVE_INFINITY) {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.concat(chunks);
  const isTooLarge = outcome.error === null && body.length > largestAnswerBytes;
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    'x-amz-executed-version': '$LATEST',
    ...(outcome.error !== null || isTooLarge ? { 'x-amz-function-error': 'Unhandled' } : {}),
  });
  if (isTooLarge) response.end(tooLargeAnswer(body.length));
  else response.end(outcome.error === null ? body : outcome.details);
};

const tooLargeAnswer = (bytes: number): string =>
  JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${largestAnswerBytes} bytes).`,
  });

const kindOf = (request: IncomingMessage, isStream: boolean): InvocationKind => {
  if (isStream) return 'ResponseStream';
  const kind = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (kind !== 'RequestResponse' && kind !== 'Event')
    throw new AwsError(501, 'NotImplemented', `The emulator does not know the invocation type ${kind}.`);
  return kind;
};

/** Invoke and InvokeWithResponseStream. Throws `TooManyRequestsException`, `RequestTooLargeException`. */
export const serveInvocation = async (
  { invoker, faults, statistics }: InvocationContext,
  lambda: LambdaFunction,
  request: IncomingMessage,
  body: Buffer,
  isStream: boolean,
  response: ServerResponse,
): Promise<void> => {
  const kind = kindOf(request, isStream);
  if (body.length > largestPayloadBytes[kind])
    throw new AwsError(
      413,
      'RequestTooLargeException',
      `${body.length} byte payload is too large for the ${kind} invocation type (limit ${largestPayloadBytes[kind]} bytes)`,
    );
  const payload = parsePayload(body);
  const type = typeOf(payload);
  const fault = takeFault(faults, { type, payload });
  const isFull = kind !== 'Event' && !invoker.hasRoom();
  if (isFull || (fault && 'throttle' in fault)) {
    statistics.throttled += 1;
    throw new AwsError(429, 'TooManyRequestsException', 'Rate Exceeded.');
  }
  const incoming = { lambda, kind, payload: body.toString(), type, fault };
  if (kind === 'Event') {
    response.writeHead(202, { 'x-amzn-requestid': randomUUID() }).end();
    invoker.invokeLater(lambda, incoming);
  } else if (kind === 'ResponseStream') await stream(incoming, invoker, response);
  else await answerWhole(incoming, invoker, response);
};
