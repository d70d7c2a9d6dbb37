/** A real HTTP server that keeps what it accepted, and fails as it is told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** As it was sent, unzipped. */
  readonly body: string;
}

/** null: it answers itself, or not at all. */
export type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
} | null;

export interface Receiver {
  readonly url: string;
  close(): Promise<void>;
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
};

export const startReceiver = async (
  answer: (received: Received, response: ServerResponse) => Answer | Promise<Answer>,
): Promise<Receiver> => {
  const server: Server = createServer(async (request, response) => {
    try {
      const received = { url: request.url ?? '', headers: request.headers, body: await readBody(request) };
      const reply = await answer(received, response);
      if (reply) response.writeHead(reply.status, reply.headers).end(reply.body ?? '');
    } catch {
      // The sender died in the middle of its request.
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
