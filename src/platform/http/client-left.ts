import type { FastifyReply } from 'fastify';

/** Aborted when the client has left, or has its answer. */
export const clientLeft = (reply: FastifyReply): AbortSignal => {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  // It may have left while its body was read: then nothing more is heard of it.
  if (reply.raw.destroyed) left.abort();
  return left.signal;
};
