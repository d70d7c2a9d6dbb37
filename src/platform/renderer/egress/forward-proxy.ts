import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EgressRefused } from '../../egress/egress-refused.ts';
import { connectChecked } from './checked-connection.ts';
import { markPageRequest } from './download-guard.ts';
import type { EgressPolicy } from './egress-policy.ts';

export interface ForwardProxy {
  readonly port: number;
  close(): Promise<void>;
}

interface ProxyContext {
  readonly policy: EgressPolicy;
  readonly onBlocked: (url: string, reason: string) => void;
}

/** They speak of one hop only (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
]);

const withoutHopByHop = (headers: IncomingMessage['headers']): IncomingMessage['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));

/** 403 for what the policy refuses, 502 for what cannot be reached; recorded only in the first case. */
const statusOf = (error: unknown, url: string, context: ProxyContext): 403 | 502 => {
  if (!(error instanceof EgressRefused)) return 502;
  context.onBlocked(url, error.reason);
  return 403;
};

const forward = async (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  context: ProxyContext,
): Promise<void> => {
  const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : null;
  if (url === null || url.protocol !== 'http:') {
    outgoing.writeHead(400).end();
    return;
  }
  try {
    const socket = await connectChecked(context.policy, url.hostname, Number(url.port || 80));
    const upstream = request({
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...withoutHopByHop(incoming.headers), host: url.host },
      createConnection: () => socket,
    });
    markPageRequest(upstream);
    upstream.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, withoutHopByHop(response.headers));
      response.pipe(outgoing);
      response.on('error', () => outgoing.destroy());
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    if (outgoing.destroyed) upstream.destroy();
    incoming.pipe(upstream);
  } catch (error) {
    outgoing.writeHead(statusOf(error, url.href, context)).end();
  }
};

const tunnel = async (
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
  context: ProxyContext,
): Promise<Socket | null> => {
  const url = `https://${incoming.url ?? ''}`;
  client.on('error', () => client.destroy());
  try {
    const { hostname, port } = new URL(url);
    const upstream = await connectChecked(context.policy, hostname, Number(port || 443));
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    if (client.destroyed) upstream.destroy();
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    upstream.write(head);
    upstream.pipe(client);
    client.pipe(upstream);
    return upstream;
  } catch (error) {
    client.end(
      `HTTP/1.1 ${statusOf(error, url, context)} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    return null;
  }
};

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

/**
 * The browser's only way out: an HTTP proxy on this machine that opens a connection only where the policy permits. Each redirect
 * is a request of its own and is checked again. TLS is tunnelled, not opened.
 */
export const startForwardProxy = async (context: ProxyContext): Promise<ForwardProxy> => {
  const tunnels = new Set<Duplex>();
  const keep = (stream: Duplex): void => {
    tunnels.add(stream);
    stream.on('close', () => tunnels.delete(stream));
  };
  const server = createServer((incoming, outgoing) => void forward(incoming, outgoing, context));
  server.on('connect', (incoming, client, head) => {
    keep(client);
    void tunnel(incoming, client, head, context).then((upstream) => upstream && keep(upstream));
  });
  const port = await listen(server);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const stream of tunnels) stream.destroy();
      }),
  };
};
