import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { openBrowser } from '@remotion/renderer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EgressGuard, startEgressGuard } from '../../../../src/platform/renderer/egress/guard.ts';
import {
  type Browser,
  browserExecutable,
  bundleNetworkTenant,
  freePort,
  probe,
  startReceiver,
  temporaryDirectory,
  whenPortIsFree,
} from './probe.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let serveUrl: string;
let pageServerPort: number;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let udp: UdpSocket;
let guard: EgressGuard;
let browser: Browser;

beforeAll(async () => {
  directory = await temporaryDirectory();
  serveUrl = await bundleNetworkTenant(join(directory.path, 'bundle'));
  pageServerPort = await freePort();
  receiver = await startReceiver();
  udp = createSocket('udp4', () => receiver.contacts.push('datagram')).bind(0, '127.0.0.1');
  await once(udp, 'listening');
  guard = await startEgressGuard({
    allowedHosts: ['*'],
    browserExecutable,
    pageServerPort,
    directory: directory.path,
  });
  browser = await openBrowser('chrome', { browserExecutable: guard.browserExecutable, logLevel: 'error' });
}, 60_000);

afterAll(async () => {
  await browser.close({ silent: true });
  await guard.close();
  udp.close();
  receiver.server.close();
  await directory.remove();
});

beforeEach(() => {
  receiver.contacts.length = 0;
  guard.takeBlocked();
});

const render = (way: string, url: string): Promise<string> =>
  probe({ serveUrl, browser, pageServerPort, way, url });

describe('the guard around a real browser', { timeout: 30_000 }, () => {
  it('lets the page read its own page server', async () => {
    expect(await render('fetch', `http://localhost:${pageServerPort}/public/hello.txt`)).toContain(
      'hello from public',
    );
    expect(guard.takeBlocked()).toEqual([]);
  });

  it.each([
    ['fetch', 'http://127.0.0.1:PORT/a?token=1'],
    ['fetch', 'https://127.0.0.1:PORT/a'],
    ['img', 'http://localhost:PORT/a'],
    ['img', 'http://localhost.:PORT/a'],
    ['img', 'http://2130706433:PORT/a'],
    ['img', 'http://[::ffff:127.0.0.1]:PORT/a'],
    ['iframe', 'http://127.0.0.1:PORT/a'],
    ['websocket', 'ws://127.0.0.1:PORT/a'],
    ['video', 'http://127.0.0.1:PORT/a.mp4'],
    ['fetch', 'http://169.254.169.254/latest/meta-data'],
    ['img', 'http://169.254.169.254/latest/meta-data'],
  ])('%s of %s reaches nobody and is told', async (way, url) => {
    const outcome = await render(way, url.replace('PORT', String(receiver.port)));
    expect(outcome).not.toContain('loaded');
    expect(receiver.contacts).toEqual([]);
    expect(guard.takeBlocked()).toMatchObject([{ reason: expect.stringContaining('not a public address') }]);
  });

  it.each([
    ['webrtc', 'stun:127.0.0.1:UDP'],
    ['webrtc', 'turn:127.0.0.1:UDP'],
    ['webrtc', 'turn:127.0.0.1:PORT?transport=tcp'],
    ['webtransport', 'https://127.0.0.1:UDP/a'],
  ])('%s of %s sends nothing', async (way, url) => {
    await render(way, url.replace('UDP', String(udp.address().port)).replace('PORT', String(receiver.port)));
    expect(receiver.contacts).toEqual([]);
  });

  it('does not follow a redirect of the page server to another port', async () => {
    const redirector = createServer((_, response) => {
      response
        .writeHead(302, {
          location: `http://127.0.0.1:${receiver.port}/a`,
          'access-control-allow-origin': '*',
        })
        .end();
    });
    await whenPortIsFree(pageServerPort);
    redirector.listen(pageServerPort, '127.0.0.1');
    await once(redirector, 'listening');
    const answer = fetch(`http://localhost:${pageServerPort}/`, { redirect: 'follow' });
    await expect(answer).rejects.toMatchObject({ cause: { code: 'EGRESS_REFUSED' } });
    expect(receiver.contacts).toEqual([]);
    redirector.close();
  });

  it.each(['img', 'fetch', 'iframe'])('%s shows no file of the machine', async (way) => {
    expect(await render(way, 'file:///etc/passwd')).not.toContain('loaded');
  });

  it.each(['file:///etc/passwd', 'FILE:///etc/passwd'])(
    'OffthreadVideo of %s is refused and told',
    async (url) => {
      expect(await render('video', url)).toContain('render failed');
      expect(guard.takeBlocked()).toMatchObject([{ reason: 'files of the machine are not permitted' }]);
    },
  );

  it.each(['/etc/passwd', 'same-as/../../etc/passwd', 'concat:/etc/passwd', 'hls+file:///etc/passwd'])(
    'the page server makes no frame of %s, even when asked directly',
    async (source) => {
      const url = `http://localhost:${pageServerPort}/proxy?src=${encodeURIComponent(source)}&time=0&toneMapped=true`;
      await render('fetch', url);
      expect(guard.takeBlocked()).toMatchObject([{ reason: expect.stringContaining('not permitted') }]);
    },
  );
});
