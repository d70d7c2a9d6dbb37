import { request as httpRequest } from 'node:http';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { clientLeft } from '../../../src/platform/http/client-left.ts';
import { createHttpServer } from '../../../src/platform/http/server.ts';

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** What a route sees of a client that leaves once it is in there, and what is logged of it; `late`: the route asks only after that. */
const leaveIn = async (late: boolean) => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line).msg) });
  const server = await createHttpServer({ log, version: '1.0.0', trustProxy: false });
  close = () => server.close();
  let leave = (): void => undefined;
  const seen = new Promise<AbortSignal>((resolve) => {
    server.get('/waits', async (_request, reply) => {
      const early = late ? undefined : clientLeft(reply);
      const closed = new Promise((left) => reply.raw.once('close', left));
      leave();
      await closed;
      const signal = early ?? clientLeft(reply);
      resolve(signal);
      signal.throwIfAborted();
      return '';
    });
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const sent = httpRequest(`${url}/waits`);
  sent.on('error', () => undefined);
  leave = () => void sent.destroy();
  sent.end();
  return { signal: await seen, lines };
};

test.each([
  ['while it is waited for', false],
  ['before anybody asked', true],
])('a client that leaves %s is told of, and what ends with it is no failure', async (_when, late) => {
  const { signal, lines } = await leaveIn(late);
  expect(signal.aborted).toBe(true);
  await expect.poll(() => lines.filter((line) => /client left|failed/.test(line))).toEqual(['client left']);
});
