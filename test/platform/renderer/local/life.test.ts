import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { claimDirectory } from '../../../../src/platform/renderer/local/owner.ts';
import {
  isLiving,
  readProcess,
  readProcessTable,
} from '../../../../src/platform/renderer/local/processes/process-table.ts';
import { treeOf } from '../../../../src/platform/renderer/local/processes/process-tree.ts';
import { sweepLeftovers } from '../../../../src/platform/renderer/local/sweep-leftovers.ts';
import {
  type Bench,
  browserExecutable,
  log,
  openBench,
  openBenches,
  openWorkshop,
  rejectionOf,
} from './support.ts';

const workshop = await openWorkshop();
const { open } = openBenches(workshop);

/** The torture project counts its visits in the storage of the browser, which no render shares with another: it is always the first. */
const visit = async ({ render }: Bench, organizationId: string): Promise<number> => {
  const outputPath = join(workshop.directory, 'visit.png');
  const { width } = (await render('visits', { organizationId, outputPath })) as { width: number };
  await rm(outputPath);
  return width - 100;
};

const browserPids = async ({ browsers }: Bench): Promise<readonly number[]> =>
  (await browsers()).map(({ pid }) => pid);

it('keeps a browser for its organization and never lends it to another', async () => {
  const own = await open();
  expect(await visit(own, 'a')).toBe(1);
  const [first] = await browserPids(own);
  expect(await visit(own, 'a')).toBe(1);
  expect(await browserPids(own)).toEqual([first]);
  expect(await visit(own, 'b')).toBe(1);
  expect(await browserPids(own)).not.toContain(first);
});

it('replaces a child after its number of renders', async () => {
  const own = await open({ recycleAfterRenders: 2 });
  await visit(own, 'a');
  const first = await browserPids(own);
  expect(first).toHaveLength(1);
  await visit(own, 'a');
  // The render is answered first; its child goes afterwards.
  await expect.poll(() => browserPids(own), { timeout: 20_000 }).toEqual([]);
});

it('never reuses the browser of a rejected render', async () => {
  const own = await open();
  await visit(own, 'a');
  expect(await browserPids(own)).toHaveLength(1);
  const output = { kind: 'still', format: 'png', frame: 1 } as const;
  await rejectionOf(own.render('visits', { organizationId: 'a', output }));
  expect(await browserPids(own)).toEqual([]);
});

it('opens another browser when the warm one has died meanwhile', async () => {
  const own = await open();
  await visit(own, 'a');
  const [browser = 0] = await browserPids(own);
  process.kill(browser, 'SIGKILL');
  await own.census.until(async () => !isLiving(await readProcess(browser)));
  expect(await visit(own, 'a')).toBe(1);
});

it('renders in as many children as there are slots, and no more', async () => {
  const own = await open({ slots: 2 });
  const widths = await Promise.all(
    ['a', 'b', 'c'].map((organizationId) =>
      own.render('visits', { organizationId, outputPath: join(workshop.directory, organizationId) }),
    ),
  );
  expect(widths).toMatchObject([{ width: 101 }, { width: 101 }, { width: 101 }]);
  expect((await browserPids(own)).length).toBeLessThanOrEqual(2);
});

it('rejects what runs and what comes when it is closed, and may be closed twice', async () => {
  const own = await open();
  const { ended } = await own.startSlow();
  const closing = [own.renderer.close(), own.renderer.close()];
  expect((await rejectionOf(ended)).code).toBe('shutting_down');
  expect((await rejectionOf(own.render('picture'))).code).toBe('shutting_down');
  await Promise.all(closing);
});

it('can be closed at any moment of its start', async () => {
  for (const afterMs of [0, 50, 400]) {
    const own = await openBench(workshop);
    const ended = rejectionOf(own.render('slow', { output: { kind: 'video', format: 'mp4' } }));
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await own.close();
    expect((await ended).code).toBe('shutting_down');
  }
});

const sourceUrl = (path: string): string => new URL(`../../../../src/${path}`, import.meta.url).href;

/** A worker in a process of its own that renders without end. */
const startWorker = (workDirectory: string): ReturnType<typeof spawn> => {
  const spec = {
    organizationId: 'a',
    bundlePath: workshop.bundlePath,
    bundleVersion: 'abc123',
    compositionId: 'slow',
    inputProps: {},
    output: { kind: 'video', format: 'mp4' },
    limits: { maxDurationSeconds: null, maxRenderMs: 60_000 },
    outputPath: join(workshop.directory, 'never.mp4'),
  };
  const script = `
    const { createLocalRenderer } = await import(${JSON.stringify(sourceUrl('platform/renderer/local/local-renderer.ts'))});
    const { createLogger } = await import(${JSON.stringify(sourceUrl('platform/log/log.ts'))});
    const renderer = await createLocalRenderer({
      workDirectory: ${JSON.stringify(workDirectory)}, slots: 1, allowedHosts: [],
      browserExecutable: ${JSON.stringify(browserExecutable)}, log: createLogger({ level: 'silent' }),
    });
    const onProgress = ({ renderedFrames }) => { if (renderedFrames > 0) console.log('rendering'); };
    await renderer.render(${JSON.stringify(spec)}, { onProgress });
  `;
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return spawn(process.execPath, ['--import', loader, '--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('../../../../', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
};

it('leaves nothing of a killed worker after the next sweep, and nobody touches a living one', async () => {
  const parent = join(workshop.directory, 'workers');
  const dead = join(parent, 'dead');
  const alive = join(parent, 'alive');
  await mkdir(join(parent, 'unclaimed'), { recursive: true });
  claimDirectory(alive);
  const worker = startWorker(dead);
  const { pid = 0, stdout } = worker;
  if (stdout === null) throw new Error('The worker has no output.');
  await once(stdout, 'data');
  const tree = treeOf(readProcessTable(), pid);
  expect(tree.length).toBeGreaterThan(5);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  expect(await sweepLeftovers(parent, log)).toEqual([dead]);
  const left = (await Promise.all(tree.map((entry) => readProcess(entry.pid)))).filter(isLiving);
  expect(left).toEqual([]);
  await expect(stat(dead)).rejects.toThrow('ENOENT');
  expect((await readdir(parent)).toSorted()).toEqual(['alive', 'unclaimed']);
});

it('has nothing to sweep where no worker ever was', async () => {
  expect(await sweepLeftovers(join(workshop.directory, 'nowhere'), log)).toEqual([]);
});
