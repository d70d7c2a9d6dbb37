import { request as httpRequest } from 'node:http';
import Fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { clientLeft } from '../../../src/platform/http/client-left.ts';

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** What a route saw of its client, which leaves once it is in there; `before`: the route asks only after that. */
const seenOf = async (before: boolean): Promise<AbortSignal> => {
  const server = Fastify();
  close = () => server.close();
  let leave = (): void => undefined;
  const seen = new Promise<AbortSignal>((resolve) => {
    server.get('/', async (_request, reply) => {
      const early = before ? undefined : clientLeft(reply);
      const closed = new Promise((left) => reply.raw.once('close', left));
      leave();
      await closed;
      resolve(early ?? clientLeft(reply));
      return '';
    });
  });
  const sent = httpRequest(await server.listen({ host: '127.0.0.1', port: 0 }));
  sent.on('error', () => undefined);
  leave = () => void sent.destroy();
  sent.end();
  return seen;
};

test.each([
  ['while it is waited for', false],
  ['before anybody asked', true],
])('a client that leaves %s is told of', async (_when, before) => {
  expect((await seenOf(before)).aborted).toBe(true);
});
