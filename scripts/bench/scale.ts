/**
 * One video on many workers: the same minute of footage by Remotion's command line, by one `renderMedia`, and by Rendermill with 1, 2
 * and 4 workers on this machine, in one run, each file checked for all of its frames. Where the workers share the cores, more of them
 * can win nothing: what is measured is what the cut costs. From its parts follows what machines of their own would win.
 *
 *   npm run bench:scale
 *   … -- --seconds 20        of footage, at most 60, for a quick look (or SECONDS=20 npm run bench:scale)
 *   … --size 1280x720        pixels; the default is 854x480
 *   … --rounds 3             ratios are medians of the rounds
 *
 * The last line is one JSON object. `cpuVsRenderMedia1` and `…4`: CPU seconds of 1 and of 4 workers, divided by those of one
 * `renderMedia` with the same encoder settings and tabs; less is better. `wallVsRenderMedia4` and `wallVsCli`: the wall time of that
 * `renderMedia`, and of the command line with its defaults, divided by that of 4 workers; more is better.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '@remotion/bundler';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { renderByCli, renderByRenderMedia } from './scale/bare.ts';
import { entryPoint, fps, type Job, type Measured, publicDir, type Workshop } from './scale/job.ts';
import { measureParts } from './scale/parts.ts';
import { endAll } from './scale/processes.ts';
import { renderByWorkers } from './scale/render-by-workers.ts';
import { type Round, report } from './scale/report.ts';
import { type ScaleService, startScaleService } from './scale/service.ts';

const maxSeconds = 60;

const readOptions = (): { job: Job; rounds: number } => {
  const { SECONDS: usualSeconds = '60' } = process.env;
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: usualSeconds },
      size: { type: 'string', default: '854x480' },
      rounds: { type: 'string', default: '1' },
    },
  });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const [, width, height] = (/^(\d+)x(\d+)$/.exec(values.size) ?? []).map(Number);
  if (!(seconds >= 1 && seconds <= maxSeconds))
    throw new Error(`--seconds: expected 1 to ${maxSeconds}, found ${values.seconds}`);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: expected a whole number from 1, found ${values.rounds}`);
  if (width === undefined || height === undefined)
    throw new Error(`--size: expected such as 854x480, found ${values.size}`);
  return { job: { seconds, frames: Math.round(seconds * fps), width, height }, rounds };
};

const told = async <M extends Measured>(name: string, work: () => Promise<M>): Promise<M> => {
  const measured = await work();
  console.log(
    `  ${name.padEnd(44)}${measured.wallSeconds.toFixed(1).padStart(8)} s, CPU ${measured.cpuSeconds.toFixed(1)} s`,
  );
  return measured;
};

const runRound = async (workshop: Workshop, service: ScaleService): Promise<Round> => ({
  cli: await told('remotion render', () => renderByCli(workshop)),
  renderMedia: await told('renderMedia', () => renderByRenderMedia(workshop, false)),
  renderMediaAsOurs: await told('renderMedia, our settings', () => renderByRenderMedia(workshop, true)),
  workers: {
    1: await told('1 worker', () => renderByWorkers(service, workshop, 1)),
    2: await told('2 workers', () => renderByWorkers(service, workshop, 2)),
    4: await told('4 workers', () => renderByWorkers(service, workshop, 4)),
  },
});

const openWorkshop = async (directory: string, job: Job): Promise<Workshop> => {
  const { BROWSER_EXECUTABLE: explicitPath } = process.env;
  const { path: browserExecutable } = await findBrowser(explicitPath ? { explicitPath } : {});
  const bundlePath = await bundle({
    entryPoint,
    publicDir,
    outDir: join(directory, 'bundle'),
    rspack: true,
    enableCaching: false,
  });
  return { job, directory, bundlePath, browserExecutable };
};

const { job, rounds } = readOptions();
const directory = await mkdtemp(join(tmpdir(), 'rendermill-bench-scale-'));
let starting: Promise<ScaleService> | undefined;
const close = async (): Promise<void> => {
  await endAll();
  // One that is still being started fails, and closes what it had opened.
  await starting?.then(
    (service) => service.stop(),
    () => undefined,
  );
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
};
const interrupted = () => close().finally(() => process.exit(130));
process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
try {
  const workshop = await openWorkshop(directory, job);
  starting = startScaleService(workshop);
  const service = await starting;
  console.log(`${job.frames} frames of ${job.width} × ${job.height}; each changes everywhere`);
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`Round ${round} of ${rounds}`);
    done.push(await runRound(workshop, service));
  }
  report(job, await measureParts(workshop), done);
} finally {
  await close();
}
