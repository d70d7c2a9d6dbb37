/**
 * How fast a campaign of stills is, beside the ways that Remotion itself offers, with the same cells in the same run:
 *
 *   (a) Remotion's command line, a process per still, on a bundle made before
 *   (b) a loop of selectComposition + renderStill with shared browser and bundle, one at a time and two at a time
 *   (c) Rendermill, through the API and the queue, from the request to the close; and again with one variant changed
 *
 * (c) renders every cell; of (a) and (b) a sample, spread over all sizes, is timed once before and once after it, so that a machine
 * that is busy for a while is busy for all, and scaled. (a) and (b) render the plain bundle of the project, without anything of ours.
 *
 *   npm run bench:campaign -- --cells 500        a multiple of ten: variants × 10 sizes
 *   … --sample 2                                 stills of each size in each of the two samples of (b)
 *   … --skip-cli                                 without (a), which takes seconds for each still
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '../../src/client/client.ts';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { startService } from '../support/start-service.ts';
import {
  type BenchCell,
  type BenchVariant,
  benchSizes,
  benchVariants,
  cellName,
  sampleCells,
  spreadSample,
  withOneChanged,
} from './support/campaign-cells.ts';
import { type PictureSums, sumOfFile } from './support/picture-sums.ts';
import { bundleByCli, type CliSource, entryPoint, renderByCli } from './support/remotion-cli.ts';
import { openStillLoop, type StillLoop } from './support/render-still-loop.ts';
import { createCampaignRunner } from './support/run-campaign.ts';

const cliStillsASample = 2;

interface Options {
  readonly cells: number;
  readonly sampleOfEachSize: number;
  readonly skipCli: boolean;
}

const readOptions = (): Options => {
  const { values } = parseArgs({
    options: {
      cells: { type: 'string', default: '500' },
      sample: { type: 'string', default: '2' },
      'skip-cli': { type: 'boolean', default: false },
    },
  });
  const [cells, sampleOfEachSize] = [Number(values.cells), Number(values.sample)];
  if (!Number.isInteger(cells / benchSizes.length) || cells < benchSizes.length)
    throw new Error(`--cells: expected a multiple of ${benchSizes.length}, found ${values.cells}`);
  if (!Number.isInteger(sampleOfEachSize) || sampleOfEachSize < 1)
    throw new Error(`--sample: expected a whole number from 1, found ${values.sample}`);
  return { cells, sampleOfEachSize, skipCli: values['skip-cli'] };
};

/** Milliseconds a still, of each sample. */
interface Samples {
  readonly cli: number[];
  readonly cliBundled: number[];
  readonly one: number[];
  readonly two: number[];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

interface Sampling {
  readonly loop: StillLoop;
  readonly bundle: string;
  readonly browserExecutable: string;
  readonly folder: string;
  readonly skipCli: boolean;
  /** Each way's pictures, by cell. */
  readonly pictures: PictureSums[];
}

const timeCli = async (
  cells: readonly BenchCell[],
  source: CliSource,
  sampling: Sampling,
): Promise<number> => {
  const sums: PictureSums = new Map();
  const begun = performance.now();
  for (const [index, cell] of cells.entries())
    await renderByCli(cell, { ...sampling, source, output: join(sampling.folder, `cli-${index}.png`) });
  const tookMs = performance.now() - begun;
  for (const [index, cell] of cells.entries())
    sums.set(cellName(cell), await sumOfFile(join(sampling.folder, `cli-${index}.png`)));
  sampling.pictures.push(sums);
  return tookMs / cells.length;
};

/** The second sample goes the other way round than the first. */
const takeSample = async (
  cells: readonly BenchCell[],
  part: 0 | 1,
  sampling: Sampling,
  times: Samples,
): Promise<void> => {
  const timeLoop = async (atOnce: number) => {
    const sums: PictureSums = new Map();
    sampling.pictures.push(sums);
    return (await sampling.loop.render(cells, atOnce, sums)) / cells.length;
  };
  const steps = [
    async () => {
      if (sampling.skipCli) return;
      const sample = spreadSample(cells, cliStillsASample);
      // Its own cache of the bundle is warm for whoever renders many.
      if (times.cli.length === 0) await timeCli(sample.slice(0, 1), entryPoint, sampling);
      times.cli.push(await timeCli(sample, entryPoint, sampling));
      times.cliBundled.push(await timeCli(sample, [sampling.bundle], sampling));
    },
    async () => void times.one.push(await timeLoop(1)),
    async () => void times.two.push(await timeLoop(2)),
  ];
  for (const step of part === 0 ? steps : steps.toReversed()) await step();
  const said = [
    `one at a time ${times.one.at(-1)?.toFixed(0)} ms a still`,
    `two at a time ${times.two.at(-1)?.toFixed(0)} ms`,
    ...(sampling.skipCli
      ? []
      : [
          `the CLI ${times.cli.at(-1)?.toFixed(0)} ms, bundled before ${times.cliBundled.at(-1)?.toFixed(0)} ms`,
        ]),
  ];
  console.log(`Sample ${part + 1} of 2, ${cells.length} stills: ${said.join(', ')}`);
};

interface Measured {
  readonly cells: number;
  readonly variants: number;
  readonly times: Samples;
  readonly seconds: number;
  readonly rerunSeconds: number;
  readonly identical: number;
  readonly compared: number;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const report = ({ cells, variants, times, seconds, rerunSeconds, identical, compared }: Measured): void => {
  const scaled = (msAStill: readonly number[]) => (mean(msAStill) * cells) / 1000;
  const one = scaled(times.one);
  const two = scaled(times.two);
  const cli = times.cli.length === 0 ? null : scaled(times.cli);
  const cliBundled = times.cliBundled.length === 0 ? null : scaled(times.cliBundled);
  const best = Math.min(one, two);
  const row = (name: string, took: number | null, against: number, note: string) => {
    if (took === null) return;
    const ratio = took < against ? against / took : took / against;
    const figures = [
      took.toFixed(1),
      (took / cells).toFixed(3),
      `${took < against ? '÷' : '×'} ${ratio.toFixed(1)}`,
    ];
    console.log(`  ${name.padEnd(46)}${figures.map((text) => text.padStart(12)).join('')}   ${note}`);
  };
  console.log(
    `\n${cells} PNGs: ${variants} variants × ${benchSizes.length} sizes, ${availableParallelism()} cores`,
  );
  console.log(
    `  ${''.padEnd(46)}${['seconds', 'a still', 'beside (c)'].map((text) => text.padStart(12)).join('')}`,
  );
  row('(a) remotion still ENTRY, a process for each', cli, seconds, 'a sample, scaled');
  row('(a) remotion still BUNDLE, bundled before', cliBundled, seconds, 'a sample, scaled');
  row('(b) selectComposition + renderStill, one by one', one, seconds, 'a sample, scaled');
  row('(b) the same, two at a time', two, seconds, 'a sample, scaled');
  row('(c) Rendermill, from the request to the close', seconds, seconds, 'every cell');
  row(
    '(c) again, one variant changed',
    rerunSeconds,
    seconds,
    `${benchSizes.length} cells new, the others used again`,
  );
  console.log(
    `  pictures of (a) and (b) that are those of (c), byte for byte: ${identical} of ${compared}\n`,
  );
  console.log(
    JSON.stringify({
      cells,
      seconds: rounded(seconds, 2),
      vsRenderStill: rounded(one / seconds, 2),
      vsRenderStillBest: rounded(best / seconds, 2),
      vsCli: cli === null ? null : rounded(cli / seconds, 2),
      identicalShare: rounded(identical / compared, 4),
      rerunVsRenderStill: rounded(one / rerunSeconds, 2),
    }),
  );
};

const compare = (pictures: readonly PictureSums[], ours: PictureSums) => {
  let identical = 0;
  let compared = 0;
  for (const [name, sum] of pictures.flatMap((sums) => [...sums])) {
    compared += 1;
    if (ours.get(name) === sum) identical += 1;
    else console.log(`  differs: ${name}`);
  }
  return { identical, compared };
};

const main = async (): Promise<void> => {
  const options = readOptions();
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-bench-'));
  // One more than there are cores: a picture spends a part of its time waiting for the browser's display to tick.
  const concurrency = String(availableParallelism() + 1);
  const service = await startService({
    home: join(folder, 'home'),
    environment: { WORKER_CONCURRENCY: concurrency },
  });
  const interrupted = () => service.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const bundle = await bundleByCli(folder);
    const { BROWSER_EXECUTABLE: explicitPath } = process.env;
    // The one that the service takes: another browser draws other pictures.
    const { path: browserExecutable } = await findBrowser(explicitPath ? { explicitPath } : {});
    const loop = await openStillLoop({ bundle, browserExecutable, folder });
    try {
      const variants = benchVariants(options.cells / benchSizes.length);
      await measure(options, variants, {
        runner: await createCampaignRunner(createClient(service), folder),
        sampling: { loop, bundle, browserExecutable, folder, skipCli: options.skipCli, pictures: [] },
      });
    } finally {
      await loop.close();
    }
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

const measure = async (
  { cells, sampleOfEachSize }: Options,
  variants: readonly BenchVariant[],
  parts: { runner: Awaited<ReturnType<typeof createCampaignRunner>>; sampling: Sampling },
): Promise<void> => {
  const { runner, sampling } = parts;
  const times: Samples = { cli: [], cliBundled: [], one: [], two: [] };
  const [before, after] = [
    sampleCells(variants, sampleOfEachSize, 0),
    sampleCells(variants, sampleOfEachSize, 1),
  ];
  // As many of each size as in the sample, and none of them counted: both sides have a warm browser when the clock starts.
  await runner.warmUp();
  await sampling.loop.render(before.slice(0, 2), 1, new Map());
  await takeSample(before, 0, sampling, times);
  const campaign = await runner.run(variants);
  console.log(`Rendermill: ${cells} cells in ${campaign.seconds.toFixed(1)} s`);
  const rerun = await runner.run(withOneChanged(variants));
  console.log(`Rendermill, one variant changed: ${rerun.seconds.toFixed(1)} s, ${rerun.cached} used again`);
  await takeSample(after, 1, sampling, times);
  const { identical, compared } = compare(sampling.pictures, await runner.sumsOf(campaign.id));
  const rerunSeconds = rerun.seconds;
  report({
    cells,
    variants: variants.length,
    times,
    seconds: campaign.seconds,
    rerunSeconds,
    identical,
    compared,
  });
  if (identical < compared) process.exitCode = 1;
};

await main();
