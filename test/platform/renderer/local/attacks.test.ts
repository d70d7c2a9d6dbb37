import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@remotion/bundler';
import { openBrowser, selectComposition } from '@remotion/renderer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEgressGuard } from '../../../../src/platform/renderer/egress/guard.ts';
import { freePort } from '../egress/probe.ts';
import { type Bench, browserExecutable, openBench, rejectionOf, type Workshop } from './support.ts';

const project = fileURLToPath(new URL('../hostile-project/index.jsx', import.meta.url));
/** Another organization's film. */
const makeFilm = async (outputPath: string): Promise<void> => {
  const studio = await openBench(workshop);
  await studio.render('film', { output: { kind: 'video', format: 'mp4' }, outputPath });
  await studio.close();
};

const playlistOf = (film: string): string =>
  ['#EXTM3U', '#EXT-X-TARGETDURATION:1', '#EXTINF:1,', `file://${film}`, '#EXT-X-ENDLIST', ''].join('\n');

let workshop: Workshop;
let bench: Bench | null = null;
let playlist: string;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-attacks-'));
  const [publicDir, outputs, others] = ['public', 'outputs', 'others'].map((name) => join(directory, name));
  if (!publicDir || !outputs || !others) throw new Error('No folders.');
  await Promise.all([publicDir, outputs, others].map((path) => mkdir(path)));
  const film = join(others, 'film.mp4');
  playlist = playlistOf(film);
  await writeFile(join(publicDir, 'stolen.m3u8'), playlist);
  await writeFile(join(publicDir, 'disguised.mp4'), playlist);
  await writeFile(join(publicDir, 'worker.js'), 'self.addEventListener("fetch", () => undefined);');
  const outDir = join(directory, 'bundle');
  const bundlePath = await bundle({
    entryPoint: project,
    outDir,
    publicDir,
    rspack: true,
    enableCaching: false,
  });
  workshop = {
    directory,
    bundlePath,
    outputs,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
  await makeFilm(film);
}, 60_000);

afterEach(async () => {
  await bench?.close();
  bench = null;
});

afterAll(() => workshop.remove());

const open = async (): Promise<Bench> => {
  bench = await openBench(workshop);
  return bench;
};

/** What the composition found. */
const findings = async ({ render }: Bench, compositionId: string): Promise<number> => {
  const outputPath = join(workshop.directory, 'findings.png');
  const { width } = (await render(compositionId, { outputPath })) as { width: number };
  await rm(outputPath);
  return width - 100;
};

it('opens no window for a page, so that none can outlive its render', async () => {
  const directory = await mkdtemp(join(workshop.directory, 'guard-'));
  const pageServerPort = await freePort();
  const guard = await startEgressGuard({ allowedHosts: [], browserExecutable, pageServerPort, directory });
  const browser = await openBrowser('chrome', {
    browserExecutable: guard.browserExecutable,
    logLevel: 'error',
  });
  try {
    const { width } = await selectComposition({
      serveUrl: workshop.bundlePath,
      id: 'windows',
      inputProps: {},
      puppeteerInstance: browser,
      port: pageServerPort,
      logLevel: 'error',
    });
    expect(width).toBe(100);
    const addresses = browser.targets().map((target) => target.url());
    expect(addresses.filter((url) => url.startsWith('blob:'))).toEqual([]);
  } finally {
    await browser.close({ silent: true });
    await guard.close();
  }
});

describe('what a render leaves in its browser', () => {
  it('is there for itself and gone for the next one, though the browser is the same', async () => {
    const own = await open();
    expect(await findings(own, 'own-traces')).toBe(5);
    const [first] = await own.browsers();
    expect(await findings(own, 'traces')).toBe(0);
    expect(await findings(own, 'traces')).toBe(0);
    expect((await own.browsers())[0]?.pid).toBe(first?.pid);
  });

  it('goes with the pages and workers that were still running', async () => {
    const own = await open();
    await findings(own, 'traces');
    await own.census.until(async () => (await own.census.find('--type=renderer')).length <= 1);
  });

  it('is never met by another bundle', async () => {
    const own = await open();
    await findings(own, 'traces');
    const [first] = await own.browsers();
    const outputPath = join(workshop.directory, 'other.png');
    await own.render('traces', { outputPath, bundlePath: `${workshop.bundlePath}/.` });
    expect((await own.browsers()).map(({ pid }) => pid)).not.toContain(first?.pid);
  });
});

it('gives back what idle children hold, and leaves running ones alone', async () => {
  const own = await open();
  await findings(own, 'traces');
  expect(await own.browsers()).toHaveLength(1);
  // The spare child's folder stays; it has no browser.
  const withBrowser = async () =>
    (await readdir(own.workDirectory, { recursive: true })).filter((name) =>
      name.endsWith('/guarded-browser'),
    );
  expect(await withBrowser()).toHaveLength(1);
  await own.renderer.trim();
  expect(await own.browsers()).toEqual([]);
  expect(await withBrowser()).toEqual([]);
  const running = findings(own, 'traces');
  await own.renderer.trim();
  expect(await running).toBe(0);
});

describe('a playlist that names a file of another organization', () => {
  const refused = async (src: string) => rejectionOf((await open()).render('media', { inputProps: { src } }));

  it('is refused by its name', async () => {
    const error = await refused('stolen.m3u8');
    expect([error.code, error.message]).toEqual([
      'network_blocked',
      'The composition asked for public/stolen.m3u8, which is not permitted: a playlist names other files, which are never opened. Use the video or the sound itself.',
    ]);
  });

  it('is refused by what it holds', async () => {
    const error = await refused('disguised.mp4');
    expect(error.code).toBe('network_blocked');
    expect(error.message).toContain('asked for public/disguised.mp4');
  });

  it('is refused when it is written into the address', async () => {
    const encoded = Buffer.from(playlist).toString('base64');
    const error = await refused(`data:video/mp4;base64,${encoded}`);
    expect(error.message).toContain('asked for data:video/mp4;base64, which');
  });
});
