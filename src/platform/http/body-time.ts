/** How long a client may take to send the body of a request: seconds for data, minutes where a route takes a file. */
import type { FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent: 30 seconds. At most `longestBodyMs`. */
    readonly bodyTimeMs?: number;
  }
}

const usualBodyMs = 30_000;
export const longestBodyMs = 15 * 60_000;

interface Hooked {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): unknown;
}

/** The answer is 408, as Node's own is. */
export const limitBodyTime = (server: Hooked): void => {
  server.addHook('onRequest', async ({ raw, headers, routeOptions }, reply) => {
    if (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)) return;
    const giveUp = () => {
      if (reply.raw.headersSent) raw.socket.destroy();
      else raw.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    };
    const timer = setTimeout(giveUp, routeOptions.config?.bodyTimeMs ?? usualBodyMs).unref();
    const stop = () => clearTimeout(timer);
    raw.once('end', stop);
    raw.once('close', stop);
  });
};
