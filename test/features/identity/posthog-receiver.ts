/** A server that plays PostHog's private API: it answers what the test says, and keeps what it was asked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface PosthogReceiver {
  readonly url: string;
  readonly asked: Asked[];
  /** The next answers, the last one again and again. */
  answer(...answers: readonly { status: number; body: string }[]): void;
  close(): Promise<void>;
}

export const startPosthogReceiver = async (): Promise<PosthogReceiver> => {
  const asked: Asked[] = [];
  let answers: readonly { status: number; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({
        method: request.method,
        path: request.url,
        authorization: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
      });
      const [next = { status: 202, body: '{}' }, ...rest] = answers;
      if (rest.length > 0) answers = rest;
      response.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (...given) => {
      answers = given;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
