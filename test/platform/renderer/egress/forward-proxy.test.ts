import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EgressPolicy } from '../../../../src/platform/renderer/egress/egress-policy.ts';
import {
  type ForwardProxy,
  startForwardProxy,
} from '../../../../src/platform/renderer/egress/forward-proxy.ts';
import { startReceiver } from './probe.ts';

/** Stands for the internet: one allowed host, whose "public" address is this machine. */
const policy: EgressPolicy = {
  refuseHost: () => null,
  resolve: async (host) => {
    if (host === 'gone.example') throw new Error('ENOTFOUND');
    if (host !== 'cdn.example') return { allowed: false, reason: `${host} is not allowed` };
    return { allowed: true, addresses: [{ address: '127.0.0.1', family: 4 }] };
  },
};

let proxy: ForwardProxy;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let blocked: string[];

beforeEach(async () => {
  blocked = [];
  receiver = await startReceiver();
  proxy = await startForwardProxy({ policy, onBlocked: (url) => void blocked.push(url) });
});

afterEach(async () => {
  await proxy.close();
  receiver.server.close();
});

const getThroughProxy = async (url: string): Promise<{ status: number | undefined; body: string }> => {
  const request = get({ port: proxy.port, path: url, agent: false, headers: { host: 'ignored' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
};

const openTunnel = async (
  authority: string,
): Promise<{ status: string; say: (line: string) => Promise<string> }> => {
  const socket = connect(proxy.port, '127.0.0.1');
  const next = async (): Promise<string> => String((await once(socket, 'data'))[0]);
  const say = (line: string): Promise<string> => {
    socket.write(line);
    return next();
  };
  const status = await say(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return { status, say };
};

describe('the forward proxy', () => {
  it('carries an HTTP request to an allowed host', async () => {
    expect(await getThroughProxy(`http://cdn.example:${receiver.port}/a?b=1`)).toEqual({
      status: 200,
      body: 'secret',
    });
    expect(receiver.contacts).toContain('request /a?b=1');
    expect(blocked).toEqual([]);
  });

  it('refuses another host and says which', async () => {
    expect(await getThroughProxy(`http://localhost:${receiver.port}/a`)).toEqual({ status: 403, body: '' });
    expect(receiver.contacts).toEqual([]);
    expect(blocked).toEqual([`http://localhost:${receiver.port}/a`]);
  });

  it.each(['/not-absolute', 'ftp://cdn.example/x', 'file:///etc/passwd'])(
    'answers 400 to %s',
    async (url) => {
      expect((await getThroughProxy(url)).status).toBe(400);
    },
  );

  it('answers 502 when a name does not exist, which is no refusal', async () => {
    expect((await getThroughProxy('http://gone.example/')).status).toBe(502);
    expect(blocked).toEqual([]);
  });

  it('tunnels to an allowed host in both directions', async () => {
    const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const tunnel = await openTunnel(`cdn.example:${(echo.address() as AddressInfo).port}`);
    expect(tunnel.status).toContain('200');
    expect(await tunnel.say('hello')).toBe('hello');
    echo.close();
  });

  it('refuses a tunnel to another host', async () => {
    expect((await openTunnel(`127.0.0.1:${receiver.port}`)).status).toContain('403');
    expect(receiver.contacts).toEqual([]);
    expect(blocked).toEqual([`https://127.0.0.1:${receiver.port}`]);
  });

  it('refuses a tunnel whose target is no address at all', async () => {
    expect((await openTunnel('%%%')).status).toMatch(/40[03]|502/);
  });
});
