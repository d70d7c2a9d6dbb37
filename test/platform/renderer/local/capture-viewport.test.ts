import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@remotion/bundler';
import { openBrowser, renderStill, selectComposition } from '@remotion/renderer';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { captureViewportOnly } from '../../../../src/platform/renderer/local/child/capture-viewport.ts';
import { browserExecutable } from './support.ts';

type Browser = Awaited<ReturnType<typeof openBrowser>>;

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}

let directory: string;
let serveUrl: string;
const browsers: Browser[] = [];
let untouched: Browser;
let amended: Browser;
/** What the amended browser was asked for its pictures. */
const asked: unknown[] = [];

const open = async (): Promise<Browser> => {
  const browser = await openBrowser('chrome', { browserExecutable, logLevel: 'error' });
  browsers.push(browser);
  return browser;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rendermill-capture-'));
  // Remotion leaves what it downloads there.
  vi.stubEnv('TMPDIR', directory);
  serveUrl = await bundle({
    entryPoint: fileURLToPath(new URL('./capture-project/index.jsx', import.meta.url)),
    outDir: join(directory, 'bundle'),
    rspack: true,
    enableCaching: false,
  });
  untouched = await open();
  amended = await open();
  const { connection } = amended;
  const sendRaw = connection._rawSend.bind(connection);
  connection._rawSend = (command) => {
    if (command.method === 'Page.captureScreenshot') asked.push(command.params);
    return sendRaw(command);
  };
  captureViewportOnly(amended);
}, 120_000);

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close({ silent: true })));
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const picture = async (puppeteerInstance: Browser, { width, height, scale }: Layout): Promise<Buffer> => {
  const output = join(directory, 'picture.png');
  const common = { serveUrl, puppeteerInstance, browserExecutable, logLevel: 'error' } as const;
  const selected = await selectComposition({ ...common, id: 'overflowing' });
  const composition = { ...selected, width, height };
  await renderStill({ ...common, composition, scale, frame: 7, imageFormat: 'png', output });
  return readFile(output);
};

it.each<[string, Layout]>([
  ['as large as the composition', { width: 640, height: 360, scale: 1 }],
  ['of a few pixels', { width: 17, height: 9, scale: 1 }],
  ['twice as dense', { width: 333, height: 201, scale: 2 }],
  ['half as dense', { width: 500, height: 400, scale: 0.5 }],
  ['as wide as can be', { width: 8192, height: 100, scale: 1 }],
])(
  'a picture %s is the same, byte for byte, as one of all that lies beyond the viewport',
  async (_, layout) => {
    asked.length = 0;
    expect(await picture(amended, layout)).toEqual(await picture(untouched, layout));
    expect(asked).toMatchObject([{ captureBeyondViewport: false }]);
  },
);

it('a viewport that ends between two pixels is left to Remotion', async () => {
  asked.length = 0;
  const layout = { width: 333, height: 201, scale: 1.5 };
  expect(await picture(amended, layout)).toEqual(await picture(untouched, layout));
  expect(asked).toMatchObject([{ captureBeyondViewport: true }]);
});
