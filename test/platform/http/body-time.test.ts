import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createHttpServer, type HttpServer } from '../../../src/platform/http/server.ts';
import { silentLog } from '../../support/factories.ts';

let server: HttpServer;
let port: number;
beforeAll(async () => {
  server = await createHttpServer({ log: silentLog, version: '1.0.0', trustProxy: false });
  const schema = { body: z.object({ word: z.string() }), response: { 200: z.object({ word: z.string() }) } };
  server.post('/hasty', { schema, config: { bodyTimeMs: 200 } }, async (request) => request.body);
  server.post('/patient', { schema, config: { bodyTimeMs: 60_000 } }, async (request) => request.body);
  port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => server.close());

const body = JSON.stringify({ word: 'hello' });

/** The first line of the answer to a request whose last byte comes after the others were read and `until` has happened. */
const sendSlowly = async (path: string, until: (answered: Promise<unknown>) => Promise<unknown>) => {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const answer = once(socket, 'data').then(([chunk]) => String(chunk).split('\r\n')[0]);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`,
  );
  await until(answer);
  socket.write(body.slice(-1), () => undefined);
  const first = await answer;
  socket.destroy();
  return first;
};

test('a body that does not come to its end in the time of its route is answered with 408', async () => {
  expect(await sendSlowly('/hasty', (answered) => answered)).toBe('HTTP/1.1 408 Request Timeout');
});

test('a route may give a body more time than others have', async () => {
  const hasty = () => sendSlowly('/hasty', (answered) => answered);
  expect(await sendSlowly('/patient', hasty)).toBe('HTTP/1.1 200 OK');
});
