import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '@remotion/bundler';
import { type openBrowser, renderStill, selectComposition } from '@remotion/renderer';

export const browserExecutable = '/usr/lib/chromium/chromium-headless-shell';

export const temporaryDirectory = async (): Promise<{ path: string; remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'rendermill-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createTcpServer().once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });

/** Remotion does not wait for its page server to close; after a failed render that takes until the decoder has ended. */
export const whenPortIsFree = async (port: number): Promise<void> => {
  while (!(await canListen(port))) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** A server on this machine that must not be reached: it notes every connection, even one that says nothing. */
export const startReceiver = (): Promise<{ port: number; contacts: string[]; server: Server }> =>
  new Promise((resolve) => {
    const contacts: string[] = [];
    const server = createServer((request, response) => {
      contacts.push(`request ${request.url}`);
      response.setHeader('access-control-allow-origin', '*').end('secret');
    });
    server.on('connection', () => contacts.push('connection'));
    server.listen(0, '127.0.0.1', () =>
      resolve({ port: (server.address() as AddressInfo).port, contacts, server }),
    );
  });

export const bundleNetworkTenant = (outDir: string): Promise<string> => {
  const root = join(import.meta.dirname, '../../../fixtures/tenant-network');
  return bundle({ entryPoint: join(root, 'src/index.tsx'), rootDir: root, outDir, rspack: true });
};

export type Browser = Awaited<ReturnType<typeof openBrowser>>;

/** Renders the probe once and returns what its page printed, or how the render failed. */
export const probe = async (options: {
  serveUrl: string;
  browser: Browser;
  pageServerPort: number;
  way: string;
  url: string;
}): Promise<string> => {
  const logs: string[] = [];
  const shared = {
    serveUrl: options.serveUrl,
    inputProps: { way: options.way, url: options.url },
    puppeteerInstance: options.browser,
    port: options.pageServerPort,
    logLevel: 'error' as const,
    timeoutInMilliseconds: 10_000,
    onBrowserLog: ({ text }: { text: string }) => void logs.push(text),
  };
  try {
    await whenPortIsFree(options.pageServerPort);
    const composition = await selectComposition({ ...shared, id: 'probe' });
    await whenPortIsFree(options.pageServerPort);
    await renderStill({ ...shared, composition });
    return logs.find((line) => line.startsWith('outcome: ')) ?? 'no outcome';
  } catch (error) {
    return `render failed: ${error instanceof Error ? error.message : String(error)}`;
  }
};
