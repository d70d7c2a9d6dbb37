/**
 * One video on one machine: the product's own renderer, warm as a worker keeps it, beside a bare `renderMedia` with every option at
 * Remotion's default, from the same bundle in one run. They take turns, and each round begins with the other one; the figures are
 * medians of the rounds. CPU is user and system time of all processes; it says more than the clock where others use the machine.
 *
 *   npm run bench:video -- --rounds 5 --seconds 5     of footage, at 30 frames a second; at most 10
 *   … --variants                                      also each option alone, beside the defaults
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from '@remotion/bundler';
import { createLogger } from '../../src/platform/log/log.ts';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { createLocalRenderer } from '../../src/platform/renderer/local/local-renderer.ts';
import {
  type ClipSize,
  clipFps,
  type Measured,
  renderByRemotion,
  renderOurs,
  type Workshop,
} from './video/contenders.ts';
import { ssimOf } from './video/ssim.ts';
import { renderVariant, variants } from './video/variants.ts';

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      variants: { type: 'boolean', default: false },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: expected a whole number from 1, found ${values.rounds}`);
  if (!(seconds > 0.1 && seconds <= 10))
    throw new Error(`--seconds: expected 0.1 to 10, found ${values.seconds}`);
  return { rounds, frames: Math.round(seconds * clipFps), withVariants: values.variants };
};

interface Pair {
  readonly remotion: Measured;
  readonly ours: Measured;
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
};
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const nameOf = ({ width, height }: ClipSize): string => `${width} × ${height}`;

const shares = (all: readonly Measured[]): string => {
  const of = (value: (one: Measured) => number): string => median(all.map(value)).toFixed(2).padStart(6);
  return [
    `wall ${of((one) => one.seconds)}`,
    `cpu ${of((one) => one.cpu.total)}`,
    `page ${of((one) => one.cpu.page)}`,
    `screenshot ${of((one) => one.cpu.screenshot)}`,
    `encoder ${of((one) => one.cpu.encoder)}`,
    `node ${of((one) => one.cpu.node)}`,
    `join (wall) ${of((one) => one.joinSeconds)}`,
  ].join('  ');
};

const { rounds, frames, withVariants } = readOptions();
const directory = await mkdtemp(join(tmpdir(), 'rendermill-bench-video-'));
// Remotion leaves what it downloads for a video in the temporary folder.
process.env.TMPDIR = directory;
const { path: browserExecutable } = await findBrowser();
const bundlePath = await bundle({
  entryPoint: fileURLToPath(new URL('./video/composition/index.ts', import.meta.url)),
  publicDir: fileURLToPath(new URL('../../remotion/public', import.meta.url)),
  outDir: join(directory, 'bundle'),
  rspack: true,
  enableCaching: false,
});
const workshop: Workshop = { bundlePath, browserExecutable, directory, frames };
const renderer = await createLocalRenderer({
  workDirectory: join(directory, 'work'),
  slots: 1,
  browserExecutable,
  allowedHosts: [],
  log: createLogger({ level: 'error' }),
});

const runRounds = async (size: ClipSize): Promise<readonly Pair[]> => {
  const pairs: Pair[] = [];
  const byRemotion = () => renderByRemotion(workshop, size, 'default');
  const byUs = () => renderOurs(renderer, workshop, size, 'ours');
  for (let round = 1; round <= rounds; round += 1) {
    const oursFirst = round % 2 === 0;
    const first = oursFirst ? await byUs() : await byRemotion();
    const second = oursFirst ? await byRemotion() : await byUs();
    const pair = oursFirst ? { ours: first, remotion: second } : { ours: second, remotion: first };
    pairs.push(pair);
    console.log(
      `${nameOf(size)} round ${round}: Remotion ${pair.remotion.seconds.toFixed(1)} s, ours ${pair.ours.seconds.toFixed(1)} s`,
    );
  }
  console.log(`  Remotion  ${shares(pairs.map(({ remotion }) => remotion))}`);
  console.log(`  ours      ${shares(pairs.map(({ ours }) => ours))}`);
  return pairs;
};

/** Each beside the defaults that ran directly before it. */
const runVariants = async (size: ClipSize): Promise<void> => {
  console.log(`variants at ${nameOf(size)}: beside Remotion's defaults just before`);
  for (const variant of variants) {
    const plain = await renderByRemotion(workshop, size, 'default');
    const found = await renderVariant(workshop, size, variant).catch((error: unknown) => String(error));
    const name = `  ${variant.name.padEnd(22)}`;
    if (typeof found === 'string') console.log(`${name} fails: ${found.split('\n')[0]}`);
    else
      console.log(
        `${name} wall × ${(plain.seconds / found.seconds).toFixed(2)}  cpu × ${(found.cpu.total / plain.cpu.total).toFixed(2)}  ssim ${await ssimOf(plain.file, found.file, clipFps)}  size × ${(found.bytes / plain.bytes).toFixed(2)}`,
      );
  }
};

const fullHd: ClipSize = { width: 1920, height: 1080 };
const square: ClipSize = { width: 1080, height: 1080 };

try {
  console.log(`${frames} frames; each changes everywhere. Seconds, medians of ${rounds} rounds`);
  // Browser, child and bundle as warm as in a worker that is at work, and the programs in the memory of the machine.
  const brief = { ...workshop, frames: 4 };
  await renderOurs(renderer, brief, square, 'warm');
  await renderByRemotion(brief, square, 'warm');
  const pairs = await runRounds(fullHd);
  const last = pairs.at(-1) as Pair;
  const ssim = await ssimOf(last.remotion.file, last.ours.file, clipFps);
  const squares = await runRounds(square);
  if (withVariants) await runVariants(fullHd);
  const ratio = (of: (pair: Pair) => number, all: readonly Pair[]): number => rounded(median(all.map(of)), 2);
  console.log(
    JSON.stringify({
      vsDefault: ratio(({ remotion, ours }) => remotion.seconds / ours.seconds, pairs),
      cpuVsDefault: ratio(({ remotion, ours }) => ours.cpu.total / remotion.cpu.total, pairs),
      ssim: rounded(ssim, 4),
      sizeRatio: ratio(({ remotion, ours }) => ours.bytes / remotion.bytes, pairs),
      vsDefaultSquare: ratio(({ remotion, ours }) => remotion.seconds / ours.seconds, squares),
    }),
  );
} finally {
  await renderer.close();
  await rm(directory, { recursive: true, force: true });
}
