import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createPostClient,
  type PostClient,
  type PostResult,
} from '../../../src/platform/egress/post-client.ts';
import type { ResolvedAddress } from '../../../src/platform/egress/resolve-public.ts';

let server: Server;
let port: number;
let contacts: number;
let client: PostClient | undefined;

beforeEach(async () => {
  contacts = 0;
  server = createServer((_request, response) => response.end('hello'));
  server.on('connection', () => {
    contacts += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await client?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const address = (text: string): ResolvedAddress => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** Addresses that connections were tried to, by whoever opened a socket meanwhile. */
const watchAttempts = () => {
  const attempts: string[] = [];
  const onSocket = (message: unknown): void => {
    (message as { socket: Socket }).socket.on('connectionAttempt', (ip: string) => attempts.push(ip));
  };
  subscribe('net.client.socket', onSocket);
  return { attempts, stop: () => unsubscribe('net.client.socket', onSocket) };
};

const post = (
  host: string,
  given: {
    resolve?: (name: string) => Promise<ResolvedAddress[]>;
    allowPrivate?: boolean;
    signal?: AbortSignal;
  } = {},
): Promise<PostResult> => {
  const { resolve = () => Promise.reject(new Error('asked')), allowPrivate = false, signal } = given;
  client = createPostClient({
    url: `http://${host}:${port}/in`,
    connections: 1,
    timeoutMs: 3_000,
    allowPrivate,
    resolve,
  });
  return client.post({}, Buffer.from('{}'), signal ?? new AbortController().signal);
};

const notPublic = {
  type: 'failed',
  error:
    'The host does not lie at a public address; where that is wanted, set WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true.',
};

describe('a POST to somebody else', () => {
  it.each([
    ['127.0.0.1'],
    ['93.184.216.34', '127.0.0.1'],
    ['127.0.0.1', '93.184.216.34'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['169.254.169.254'],
    ['fe80::1%eth0'],
    ['not an address'],
  ])('goes nowhere where its name resolves to %s', async (...found) => {
    const { attempts, stop } = watchAttempts();
    const result = await post('rebound.example', { resolve: async () => found.map(address) });
    stop();
    expect(result).toEqual(notPublic);
    expect(attempts).toEqual([]);
    expect(contacts).toBe(0);
  });

  it.each(['127.0.0.1', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0'])(
    'goes nowhere where its host is %s',
    async (host) => {
      expect(await post(host)).toEqual(notPublic);
      expect(contacts).toBe(0);
    },
  );

  it('goes to the address that was checked, and asks for it once', async () => {
    let asked = 0;
    // A name that is rebound between check and use. The first lies in public space that nobody has been given.
    const resolve = async () => [address(++asked === 1 ? '2000::1' : '127.0.0.1')];
    const { attempts, stop } = watchAttempts();
    const result = await post('rebound.example', { resolve });
    stop();
    expect(result.type).toBe('failed');
    expect(attempts).toEqual(['2000::1']);
    expect(asked).toBe(1);
    expect(contacts).toBe(0);
  });

  it('is checked again at each new connection', async () => {
    let asked = 0;
    const resolve = async () => [address(++asked === 1 ? '2000::1' : '127.0.0.1')];
    await post('rebound.example', { resolve });
    // On a busy machine the first connection may still be in the making.
    const again = () => client?.post({}, Buffer.from('{}'), new AbortController().signal);
    await expect.poll(again).toEqual(notPublic);
    expect(contacts).toBe(0);
  });

  it('reaches this machine where private networks are allowed', async () => {
    const result = await post('localhost', { allowPrivate: true });
    expect(result).toMatchObject({ type: 'answered', status: 200 });
  });

  it.each([
    ['ENOTFOUND', 'The name of the host does not exist.'],
    ['ESERVFAIL', 'The name of the host could not be resolved.'],
    ['ETIMEOUT', 'The name of the host could not be resolved in time.'],
  ])('says what a resolver means by %s', async (code, error) => {
    const resolve = () => Promise.reject(Object.assign(new Error(`query ${code} 10.0.0.53`), { code }));
    expect(await post('lost.example', { resolve })).toEqual({ type: 'failed', error });
  });

  it('says that a name has no address', async () => {
    expect(await post('empty.example', { resolve: async () => [] })).toEqual({
      type: 'failed',
      error: 'The name of the host has no address.',
    });
  });

  it('ends in time where the resolver never answers', async () => {
    expect(await post('slow.example', { resolve: () => new Promise(() => undefined) })).toEqual({
      type: 'failed',
      error: 'No answer came within 3 seconds.',
    });
  });

  it('ends at once where its signal is aborted, before and during', async () => {
    expect(await post('127.0.0.1', { allowPrivate: true, signal: AbortSignal.abort() })).toEqual({
      type: 'aborted',
    });
    expect(contacts).toBe(0);
    server.removeAllListeners('request');
    const ending = new AbortController();
    server.on('request', () => ending.abort());
    expect(await post('127.0.0.1', { allowPrivate: true, signal: ending.signal })).toEqual({
      type: 'aborted',
    });
  });
});
