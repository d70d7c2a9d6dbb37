import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBlockedRequests } from '../../../../src/platform/renderer/egress/blocked-requests.ts';
import { createEgressPolicy } from '../../../../src/platform/renderer/egress/egress-policy.ts';
import { guardSockets } from '../../../../src/platform/renderer/egress/socket-guard.ts';
import { startReceiver } from './probe.ts';

let receiver: Awaited<ReturnType<typeof startReceiver>>;
let ownPort: number;
let release: () => void;
const blocked = createBlockedRequests();

/** Every name leads to this machine, as a rebinding name would. */
const policy = createEgressPolicy({
  allowedHosts: ['*'],
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
});

beforeEach(async () => {
  receiver = await startReceiver();
  ownPort = 0;
  release = guardSockets({ policy, isOwnPort: (port) => port === ownPort, onBlocked: blocked.record });
});

afterEach(() => {
  release();
  blocked.take();
  receiver.server.close();
});

const failureOf = async (emitter: NodeJS.EventEmitter): Promise<unknown> =>
  (await once(emitter, 'error').catch((e) => [e]))[0];

describe('the guard of the sockets', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', 'rebinding.example'])(
    'refuses http.get to %s',
    async (host) => {
      const error = await failureOf(http.get(`http://${host}:${receiver.port}/a?token=1`));
      expect(error).toMatchObject({ code: 'EGRESS_REFUSED' });
      expect(receiver.contacts).toEqual([]);
      expect(blocked.take()).toHaveLength(1);
    },
  );

  it('records the address without its query, user and password', async () => {
    await failureOf(http.get(`http://me:pass@127.0.0.1:${receiver.port}/a?token=1#x`));
    expect(blocked.take()).toMatchObject([{ url: `http://127.0.0.1:${receiver.port}/a` }]);
  });

  it('refuses https.get', async () => {
    const error = await failureOf(https.get(`https://127.0.0.1:${receiver.port}/`));
    expect(error).toMatchObject({ code: 'EGRESS_REFUSED' });
    expect(receiver.contacts).toEqual([]);
  });

  it('refuses fetch', async () => {
    await expect(fetch(`http://127.0.0.1:${receiver.port}/`)).rejects.toMatchObject({
      cause: { code: 'EGRESS_REFUSED' },
    });
    expect(receiver.contacts).toEqual([]);
  });

  it.each([
    ['a port and host', () => connect(receiver.port, '127.0.0.1')],
    ['a port alone', () => connect(receiver.port)],
    ['an options object', () => connect({ port: receiver.port, host: '127.0.0.1' })],
    ['a path', () => connect('/tmp/some.sock')],
  ])('refuses a bare socket given %s', async (_, open) => {
    expect(await failureOf(open())).toMatchObject({ code: 'EGRESS_REFUSED' });
    expect(receiver.contacts).toEqual([]);
  });

  it('leaves the ports that are our own alone', async () => {
    ownPort = receiver.port;
    expect(await (await fetch(`http://127.0.0.1:${receiver.port}/`)).text()).toBe('secret');
  });

  it('is gone after its release', async () => {
    release();
    expect(await (await fetch(`http://127.0.0.1:${receiver.port}/`)).text()).toBe('secret');
  });
});
