/** Server-sent events (WHATWG HTML, 9.2) from a generator, which ends when its client does. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

export type StreamMessage =
  | { readonly type: 'heartbeat' }
  /** With an id: a client that comes back names the last one it saw. */
  | { readonly type: string; readonly id?: string | number; readonly data: unknown };

/**
 * Answers with what `watch` yields; its signal is aborted when the client has left. What it throws before its first message is an
 * answer like any other; where it has none, nothing is left to tell: 204.
 */
export const sendEvents = async (
  reply: FastifyReply,
  watch: (signal: AbortSignal) => AsyncGenerator<StreamMessage>,
): Promise<FastifyReply> => {
  const ended = new AbortController();
  const messages = watch(ended.signal);
  // A stream that its client left before it began never runs its own end: this one does.
  const end = () => {
    ended.abort();
    void messages.return(undefined);
  };
  reply.raw.once('close', end);
  if (reply.raw.destroyed) end();
  // The first message is awaited here, so that a 404 is an answer and not a broken stream.
  const first = await messages.next();
  // 204 tells a browser's EventSource not to come back.
  if (first.done) return reply.status(204).send();
  reply.header('content-type', 'text/event-stream; charset=utf-8').header('cache-control', 'no-store');
  reply.header('x-accel-buffering', 'no');
  return reply.send(Readable.from(toEventStream(first.value, messages), { objectMode: false }));
};

async function* toEventStream(first: StreamMessage, rest: AsyncGenerator<StreamMessage>) {
  yield 'retry: 1000\n\n';
  yield toFrame(first);
  for await (const message of rest) yield toFrame(message);
}

const toFrame = (message: StreamMessage): string => {
  if (!('data' in message)) return ': still here\n\n';
  const id = message.id === undefined ? '' : `id: ${message.id}\n`;
  return `${id}event: ${message.type}\ndata: ${JSON.stringify(message.data)}\n\n`;
};
