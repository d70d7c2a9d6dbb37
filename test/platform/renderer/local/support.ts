import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@remotion/bundler';
import { afterAll, afterEach, expect } from 'vitest';
import { RendermillError } from '../../../../src/core/errors.ts';
import { createLogger } from '../../../../src/platform/log/log.ts';
import { findBrowser } from '../../../../src/platform/renderer/browser/find-browser.ts';
import { writeEntry } from '../../../../src/platform/renderer/bundle/write-entry.ts';
import type { RenderOptions, RenderSpec } from '../../../../src/platform/renderer/contract.ts';
import { createLocalRenderer } from '../../../../src/platform/renderer/local/local-renderer.ts';
import type { LocalRendererOptions } from '../../../../src/platform/renderer/local/options.ts';
import {
  isSameLiving,
  type ProcessEntry,
  readProcessTable,
} from '../../../../src/platform/renderer/local/processes/process-table.ts';
import { treeOf } from '../../../../src/platform/renderer/local/processes/process-tree.ts';

export const log = createLogger({ level: 'silent' });
export const { path: browserExecutable } = await findBrowser();

const project = fileURLToPath(new URL('../../../fixtures/torture-project/', import.meta.url));
const examples = fileURLToPath(new URL('../../../../remotion/public/', import.meta.url));

/** One second of 440 Hz, 16 bits, mono. */
const toneWav = (): Buffer => {
  const rate = 48_000;
  const wav = Buffer.alloc(44 + rate * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + rate * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(rate * 2, 40);
  for (let i = 0; i < rate; i++)
    wav.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * 440 * i) / rate)), 44 + 2 * i);
  return wav;
};

export interface Workshop {
  /** Holds everything of this test file. */
  readonly directory: string;
  readonly bundlePath: string;
  readonly outputs: string;
  remove(): Promise<void>;
}

/** Bundles the torture project, which takes about two seconds. */
export const openWorkshop = async (): Promise<Workshop> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-local-'));
  const publicDir = join(directory, 'public');
  const outputs = join(directory, 'outputs');
  const written = join(directory, 'entry');
  await Promise.all([publicDir, outputs, written].map((path) => mkdir(path)));
  await Promise.all([
    writeFile(join(publicDir, 'tone.wav'), toneWav()),
    writeFile(join(publicDir, 'text.txt'), 'a text of the public folder'),
    writeFile(join(publicDir, 'prices.json'), JSON.stringify({ lamp: 12, chair: 34 })),
    copyFile(join(examples, 'fonts/young-serif-latin.woff2'), join(publicDir, 'young.woff2')),
    copyFile(join(examples, 'fonts/onest-latin.woff2'), join(publicDir, 'onest.woff2')),
    copyFile(join(project, '../tenant-plain/public/square.svg'), join(publicDir, 'square.svg')),
  ]);
  const bundlePath = await bundle({
    entryPoint: await writeEntry(written, join(project, 'index.tsx')),
    rootDir: project,
    outDir: join(directory, 'bundle'),
    publicDir,
    rspack: true,
    enableCaching: false,
  });
  return { directory, bundlePath, outputs, remove: () => rm(directory, { recursive: true, force: true }) };
};

export const still = { kind: 'still', format: 'png', frame: 0 } as const;

export const specOf = (
  workshop: Workshop,
  compositionId: string,
  changes: Partial<RenderSpec> = {},
): RenderSpec => ({
  organizationId: 'organization-a',
  bundlePath: workshop.bundlePath,
  bundleVersion: 'abc123',
  compositionId,
  inputProps: {},
  output: still,
  limits: { maxDurationSeconds: null, maxRenderMs: 60_000 },
  outputPath: join(workshop.outputs, `${compositionId}.file`),
  ...changes,
});

export const rejectionOf = async (promise: Promise<unknown>): Promise<RendermillError> => {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(RendermillError);
  return outcome as RendermillError;
};

const commandOf = async ({ pid }: ProcessEntry): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');

/** Remembers every process below this one that it ever saw, because an orphan is below this one no longer. */
export interface Census {
  /** Living processes whose command holds this text. */
  find(text: string): Promise<readonly ProcessEntry[]>;
  until(condition: () => Promise<boolean>): Promise<void>;
  stop(): void;
}

const takeCensus = (): Census => {
  const seen = new Map<number, number>();
  const look = async (): Promise<void> => {
    for (const { pid, startTicks } of treeOf(readProcessTable(), process.pid).slice(1)) {
      seen.set(pid, startTicks);
    }
  };
  const timer = setInterval(() => void look(), 100);
  const find = async (text: string): Promise<readonly ProcessEntry[]> => {
    await look();
    const table = readProcessTable();
    const living = [...table.values()].filter(({ pid }) => isSameLiving(table.get(pid), seen.get(pid) ?? -1));
    const commands = await Promise.all(living.map(commandOf));
    return living.filter((_, index) => commands[index]?.includes(text));
  };
  return {
    find,
    until: async (condition) => {
      const deadline = Date.now() + 20_000;
      while (!(await condition())) {
        if (Date.now() > deadline) throw new Error('The condition did not come true within 20 seconds.');
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    stop: () => clearInterval(timer),
  };
};

export interface Bench {
  readonly renderer: Awaited<ReturnType<typeof createLocalRenderer>>;
  readonly workDirectory: string;
  readonly census: Census;
  render(compositionId: string, changes?: Partial<RenderSpec>, options?: RenderOptions): Promise<unknown>;
  /** Renders 60 slow frames in the background and hands over when the first of them is done. */
  startSlow(options?: RenderOptions): Promise<{ readonly ended: Promise<unknown> }>;
  /** Main processes only: each leads a group. */
  browsers(): Promise<readonly ProcessEntry[]>;
  /** After a rejection: no browser, no encoder, no file. */
  expectNothingOf(compositionId: string): Promise<void>;
  close(): Promise<void>;
}

const parts = ['--user-data-dir', '--type=', 'ffmpeg', 'compositor'];

export const openBench = async (
  workshop: Workshop,
  options: Partial<LocalRendererOptions> = {},
): Promise<Bench> => {
  const workDirectory = join(workshop.directory, `work-${Math.random().toString(36).slice(2)}`);
  const renderer = await createLocalRenderer({
    workDirectory,
    slots: 1,
    browserExecutable,
    allowedHosts: [],
    log,
    delayRenderTimeoutMs: 7_000,
    ...options,
  });
  const census = takeCensus();
  const render: Bench['render'] = (compositionId, changes, renderOptions) =>
    renderer.render(specOf(workshop, compositionId, changes), renderOptions);
  return {
    renderer,
    workDirectory,
    census,
    render,
    startSlow: async (renderOptions = {}) => {
      let frames = 0;
      const ended = render(
        'slow',
        { output: { kind: 'video', format: 'mp4', frameRange: [0, 59] } },
        { ...renderOptions, onProgress: (progress) => (frames = progress.renderedFrames) },
      );
      ended.catch(() => undefined);
      await census.until(async () => frames > 0);
      return { ended };
    },
    browsers: async () =>
      (await census.find('--remote-debugging-port')).filter(({ pid, groupId }) => pid === groupId),
    expectNothingOf: async (compositionId) => {
      for (const part of parts) expect(await census.find(part)).toEqual([]);
      await expect(stat(specOf(workshop, compositionId).outputPath)).rejects.toThrow('ENOENT');
      const folders = (await readdir(workDirectory)).filter((name) => name.startsWith('child-'));
      // The spare may wait there.
      expect(folders.length).toBeLessThanOrEqual(1);
    },
    close: async () => {
      await renderer.close();
      expect(await census.find('')).toEqual([]);
      census.stop();
      await expect(stat(workDirectory)).rejects.toThrow('ENOENT');
      expect(await readdir(workshop.outputs)).toEqual([]);
    },
  };
};

export interface Benches {
  /** For one test, closed after it. */
  open(options?: Partial<LocalRendererOptions>): Promise<Bench>;
  /**
   * For the tests that leave a bench as they found it, one after another: a browser and two children are started once for them. Closed
   * when a test fails, and when one opens a bench of its own, because a census counts the processes of both.
   */
  share(): Promise<Bench>;
}

/** The benches of a test file, one at a time; the workshop is removed with the last. */
export const openBenches = (workshop: Workshop, usual: Partial<LocalRendererOptions> = {}): Benches => {
  let bench: Bench | null = null;
  let isShared = false;
  const end = async (): Promise<void> => {
    const ended = bench;
    bench = null;
    await ended?.close();
  };
  afterEach(async ({ task }) => {
    if (!isShared || task.result?.state === 'fail') await end();
  });
  afterAll(async () => {
    await end();
    await workshop.remove();
  });
  const begin = async (options: Partial<LocalRendererOptions>): Promise<Bench> => {
    await end();
    bench = await openBench(workshop, options);
    return bench;
  };
  return {
    open: (options = {}) => {
      isShared = false;
      return begin(options);
    },
    share: async () => {
      if (isShared && bench !== null) return bench;
      isShared = true;
      return begin(usual);
    },
  };
};
