/** A real server that keeps what it gets, decoded, and answers as the test says. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Received<Body> {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  /** Of the body as it came over the wire. */
  readonly wireBytes: number;
}

/** Nothing returned: the test answers by itself, or never. */
export type Answer = { status: number; body?: string; headers?: Record<string, string> } | undefined;

export interface Receiver<Body> {
  readonly url: string;
  readonly received: readonly Received<Body>[];
  close(): Promise<void>;
}

const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

export const startReceiver = async <Body>(
  answer: (request: Received<Body>, response: ServerResponse) => Answer,
): Promise<Receiver<Body>> => {
  const received: Received<Body>[] = [];
  const server = createServer(async (request, response) => {
    // The sender died in the middle of its request: there is nobody to answer.
    const wire = await readAll(request).catch(() => undefined);
    if (wire === undefined) return;
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire;
    const one = {
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(plain.toString('utf8')) as Body,
      wireBytes: wire.length,
    };
    received.push(one);
    const given = answer(one, response);
    if (given) response.writeHead(given.status, given.headers).end(given.body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
