import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../../src/core/delivery/sink-event.ts';
import { formatWebhookSecret } from '../../../../src/domain/deliveries/webhook-secrets.ts';
import type { Sink } from '../../../../src/features/delivery/sinks/sink.ts';
import {
  createWebhookSink,
  type WebhookSinkOptions,
} from '../../../../src/features/delivery/sinks/webhook.ts';
import { sinkEvent } from '../../../core/delivery/sink-events.ts';
import { createTestClock, type TestClock } from '../../../support/factories.ts';

interface Arrived {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
}

let clock: TestClock;
let arrived: Arrived[];
let connections: number;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  // The library that verifies compares with the time of the machine.
  clock = createTestClock(new Date().toISOString());
  arrived = [];
  connections = 0;
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const listen = async (server: Server | TcpServer): Promise<string> => {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
};

/** Keeps what arrives, then answers. */
const receive = (answer: RequestListener): Promise<string> =>
  listen(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { headers, url: path = '' } = request;
        arrived.push({ headers, path, body: Buffer.concat(chunks) });
        answer(request, response);
      });
    }),
  );

const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  receive((_request, response) => response.writeHead(status, headers).end(body));

const newest = Buffer.alloc(32, 1);
const older = Buffer.alloc(32, 2);

const sinkFor = (url: string, given: Partial<WebhookSinkOptions> = {}): Sink => {
  const sink = createWebhookSink({
    url,
    clock,
    allowPrivate: true,
    secrets: [{ key: newest, expiresAt: null }],
    timeoutMs: 1_000,
    ...given,
  });
  closing.push(() => sink.close());
  return sink;
};

const deliver = async (
  sink: Sink,
  event: SinkEvent = sinkEvent(),
  signal = new AbortController().signal,
): Promise<Verdict> => {
  const [verdict] = await sink.deliver([event], signal);
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
};

/** What the public library of the specification makes of it; throws where the signature is not valid. */
const verify = ({ body, headers }: Arrived, key: Buffer): unknown =>
  new Webhook(formatWebhookSecret(key)).verify(body, headers as Record<string, string>);

const first = (): Arrived => {
  const [one] = arrived;
  if (one === undefined) throw new Error('nothing arrived');
  return one;
};

describe('a webhook', () => {
  test('carries the canonical event, signed as the specification says', async () => {
    const event = sinkEvent({ properties: { title: 'Grüße 🎬', odd: '\ud800' }, userId: 'u1' });
    const verdict = await deliver(sinkFor(await answering(200, {}, 'thanks')), event);
    expect(verdict).toEqual({ type: 'delivered', status: 200, response: 'thanks' });
    expect(verify(first(), newest)).toMatchObject({
      type: 'export_downloaded',
      timestamp: event.occurredAt.toISOString(),
      data: { id: event.id, event: 'export_downloaded', user_id: 'u1', properties: { title: 'Grüße 🎬' } },
    });
    expect(first().headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(first().body.length),
      'user-agent': expect.stringContaining('Rendermill'),
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(clock.now().getTime() / 1_000)),
    });
    expect(() => verify(first(), older)).toThrow(/signature/);
    expect(() => verify({ ...first(), body: Buffer.from('{}') }, newest)).toThrow(/signature/);
  });

  test('is signed by every secret that has not expired, and by no other', async () => {
    const expired = Buffer.alloc(32, 3);
    const sink = sinkFor(await answering(204), {
      secrets: [
        { key: newest, expiresAt: null },
        { key: older, expiresAt: new Date(clock.now().getTime() + 60_000) },
        { key: expired, expiresAt: clock.now() },
      ],
    });
    await deliver(sink);
    expect(first().headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    for (const key of [newest, older]) expect(() => verify(first(), key)).not.toThrow();
    expect(() => verify(first(), expired)).toThrow(/signature/);
    clock.advance(60_000);
    await deliver(sink);
    expect(arrived[1]?.headers['webhook-signature']).toMatch(/^v1,\S+$/);
  });

  test('is sent over a connection that is used again', async () => {
    const sink = sinkFor(await answering(200, {}, 'x'.repeat(900)));
    for (let n = 0; n < 5; n++) await deliver(sink);
    expect(arrived).toHaveLength(5);
    expect(connections).toBeLessThanOrEqual(2);
  });

  test('waits for one of a few connections', async () => {
    const sink = sinkFor(await answering(200), { concurrency: 2 });
    await Promise.all(Array.from({ length: 10 }, () => deliver(sink)));
    expect(arrived).toHaveLength(10);
    expect(connections).toBe(2);
  });
});

describe('an answer', () => {
  test.each([200, 201, 202, 204, 299])('%i has taken it', async (status) => {
    expect(await deliver(sinkFor(await answering(status)))).toMatchObject({ type: 'delivered', status });
  });

  test.each([500, 502, 503, 504, 599, 408, 425, 429])('%i is away, and may be back', async (status) => {
    expect(await deliver(sinkFor(await answering(status, {}, 'oh')))).toEqual({
      type: 'unavailable',
      error: `The endpoint answered ${status}.`,
      status,
      response: 'oh',
    });
  });

  test.each([400, 401, 403, 404, 413, 422])('%i does not want this one, yet may later', async (status) => {
    const expected = { type: 'refused', final: false, status };
    expect(await deliver(sinkFor(await answering(status)))).toMatchObject(expected);
  });

  test('410 ends it for good', async () => {
    expect(await deliver(sinkFor(await answering(410)))).toMatchObject({ type: 'gone', status: 410 });
  });

  test.each([429, 503])('%i says when to come back', async (status) => {
    const inSeconds = sinkFor(await answering(status, { 'retry-after': '7' }));
    expect(await deliver(inSeconds)).toMatchObject({ type: 'unavailable', retryAfterMs: 7_000 });
    clock.set('2026-03-10T12:00:00.000Z');
    const atTime = sinkFor(await answering(status, { 'retry-after': 'Tue, 10 Mar 2026 12:01:00 GMT' }));
    expect(await deliver(atTime)).toMatchObject({ type: 'unavailable', retryAfterMs: 60_000 });
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    let met = 0;
    const secret = await receive((_request, response) => {
      met += 1;
      response.end('internal');
    });
    const verdict = await deliver(sinkFor(await answering(status, { location: secret })));
    expect(verdict).toMatchObject({
      type: 'refused',
      final: false,
      status,
      error: expect.stringMatching(/Redirects/),
    });
    expect(met).toBe(0);
  });

  test('of 10 MB costs its first 1,000 bytes', async () => {
    let written = 0;
    const url = await receive((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (written < 10_000_000) {
          written += 10_000;
          if (!response.write(Buffer.alloc(10_000, 'a'))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    expect(await deliver(sinkFor(url))).toEqual({
      type: 'delivered',
      status: 200,
      response: 'a'.repeat(1_000),
    });
    expect(written).toBeLessThan(10_000_000);
  });

  test('is kept as text that can be stored', async () => {
    const broken = Buffer.from([0x61, 0x00, 0xff, 0x62]);
    const url = await receive((_request, response) => response.writeHead(500).end(broken));
    expect(await deliver(sinkFor(url))).toMatchObject({ response: 'a\ufffd\ufffdb' });
    const cut = `${'a'.repeat(999)}é`;
    expect(await deliver(sinkFor(await answering(500, {}, cut)))).toMatchObject({
      response: 'a'.repeat(999),
    });
  });

  test('whose body never ends, or breaks, is what its status says', async () => {
    const endless = await receive((_request, response) => void response.writeHead(200).write('begun'));
    const started = performance.now();
    expect(await deliver(sinkFor(endless, { timeoutMs: 25_000 }))).toEqual({
      type: 'delivered',
      status: 200,
      response: 'begun',
    });
    expect(performance.now() - started).toBeLessThan(10_000);
    const breaking = await receive((request, response) => {
      response
        .writeHead(500, { 'content-length': '100' })
        .write('begun', () => request.socket.resetAndDestroy());
    });
    expect(await deliver(sinkFor(breaking))).toMatchObject({ type: 'unavailable', status: 500 });
  });
});

/** Speaks as a server should not. */
const misbehaving = (greet: (socket: Socket) => void): Promise<string> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => greet(socket));
    }),
  );

describe('an endpoint that is not well is away', () => {
  const unavailable = (error: RegExp) => ({ type: 'unavailable', error: expect.stringMatching(error) });

  test.each<[string, (socket: Socket) => void, RegExp]>([
    ['says nothing', () => undefined, /within 1 seconds/],
    [
      'hints early, and then says nothing',
      (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
      /within 1 s/,
    ],
    ['resets', (socket) => void socket.resetAndDestroy(), /closed before an answer/],
    ['hangs up', (socket) => void socket.end(), /closed before an answer/],
    ['speaks no HTTP', (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'), /not valid HTTP/],
    ['sends headers without end', (socket) => writeHeaders(socket), /headers of the answer are too large/],
  ])('because it %s', async (_what, greet, error) => {
    expect(await deliver(sinkFor(await misbehaving(greet)))).toEqual(unavailable(error));
  });

  const writeHeaders = (socket: Socket): void => {
    socket.write('HTTP/1.1 200 OK\r\n');
    for (let n = 0; n < 100; n++) socket.write(`x-${n}: ${'a'.repeat(1_000)}\r\n`);
  };

  test('because it sends its headers byte by byte', async () => {
    const timers: NodeJS.Timeout[] = [];
    closing.push(async () => timers.forEach(clearInterval));
    const url = await misbehaving((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      timers.push(setInterval(() => socket.write('a'), 50));
    });
    expect(await deliver(sinkFor(url))).toEqual(unavailable(/within 1 seconds/));
  });

  test('because nobody listens', async () => {
    const url = await answering(200);
    await closing.splice(0)[0]?.();
    expect(await deliver(sinkFor(url))).toEqual(unavailable(/connection was refused/));
  });

  test('because its certificate is nobody’s', async () => {
    const names: string[] = [];
    const SNICallback = (name: string, callback: (error: null) => void): void => {
      names.push(name);
      callback(null);
    };
    const server = createTlsServer({ ...selfSigned(), SNICallback }, (_request, response) =>
      response.end('never'),
    );
    const url = (await listen(server)).replace('http://127.0.0.1', 'https://localhost');
    expect(await deliver(sinkFor(url))).toEqual(unavailable(/certificate of the host is not valid/));
    expect(names).toEqual(['localhost']);
  });

  test('because it lies at a private address, which its name now leads to', async () => {
    const url = (await answering(200)).replace('127.0.0.1', 'hooks.example.com');
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const verdict = await deliver(sinkFor(url, { allowPrivate: false, resolve }));
    expect(verdict).toEqual({
      type: 'unavailable',
      error:
        'The host does not lie at a public address; where that is wanted, set WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true.',
    });
    expect(connections).toBe(0);
  });
});

const selfSigned = (): { key: Buffer; cert: Buffer } => {
  const directory = mkdtempSync(join(tmpdir(), 'rendermill-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  const files = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  return files;
};

describe('a delivery that is cut off by our own stop', () => {
  test('counts as not tried', async () => {
    const ending = new AbortController();
    const url = await receive(() => ending.abort());
    expect(await deliver(sinkFor(url), sinkEvent(), ending.signal)).toEqual({ type: 'postponed' });
    expect(await deliver(sinkFor(url), sinkEvent(), ending.signal)).toEqual({ type: 'postponed' });
    expect(arrived).toHaveLength(1);
  });

  test('counts as not tried where its sink was closed, and so does what comes after', async () => {
    let closed: Promise<void> | undefined;
    const sink = sinkFor(
      await receive(() => {
        closed = sink.close();
      }),
    );
    expect(await deliver(sink)).toEqual({ type: 'postponed' });
    await closed;
    expect(await deliver(sink)).toEqual({ type: 'postponed' });
  });
});
