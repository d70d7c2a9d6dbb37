import { availableParallelism } from 'node:os';
import { fps, type Job, type Measured } from './job.ts';
import { median } from './median.ts';
import { type ModelInput, modelWall } from './model.ts';
import type { Parts } from './parts.ts';
import type { WorkersRun } from './render-by-workers.ts';
import { chunkAfterSeconds } from './service.ts';

export const workerCounts = [1, 2, 4] as const;
type WorkerCount = (typeof workerCounts)[number];
const modelled = [1, 2, 4, 8, 16, 32, 64] as const;

/** One of each, in one round. */
export interface Round {
  readonly cli: Measured;
  readonly renderMedia: Measured;
  readonly renderMediaAsOurs: Measured;
  readonly workers: Readonly<Record<WorkerCount, WorkersRun>>;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** The median of the rounds' values. */
const over = (rounds: readonly Round[], value: (round: Round) => number): number => median(rounds.map(value));

const printVariants = (rounds: readonly Round[]): void => {
  const row = (name: string, of: (round: Round) => Measured, note = '') => {
    const ratio = (value: (round: Round) => number) => over(rounds, value).toFixed(2);
    const cells = [
      over(rounds, (round) => of(round).wallSeconds).toFixed(1),
      over(rounds, (round) => of(round).cpuSeconds).toFixed(1),
      ratio((round) => round.renderMediaAsOurs.wallSeconds / of(round).wallSeconds),
      ratio((round) => of(round).cpuSeconds / round.renderMediaAsOurs.cpuSeconds),
      ratio((round) => of(round).cpuSeconds / round.renderMedia.cpuSeconds),
    ];
    console.log(`  ${name.padEnd(44)}${cells.map((text) => text.padStart(11)).join('')}   ${note}`);
  };
  const head = ['wall s', 'CPU s', 'speed ×', 'CPU ×', 'CPU × bare'];
  console.log(`\n  ${''.padEnd(44)}${head.map((text) => text.padStart(11)).join('')}`);
  row('remotion render, bundling included', ({ cli }) => cli);
  row('renderMedia, its defaults (bare)', ({ renderMedia }) => renderMedia);
  row('renderMedia, our encoder settings and tabs', (round) => round.renderMediaAsOurs);
  for (const count of workerCounts) {
    const chunks = rounds.map(({ workers }) => workers[count].chunks).join(', ');
    row(
      `Rendermill, ${count} worker${count === 1 ? '' : 's'}`,
      ({ workers }) => workers[count],
      chunks === '1' ? 'whole' : `${chunks} chunks`,
    );
  }
  const cut = over(rounds, ({ workers }) => workers[4].cpuSeconds / workers[1].cpuSeconds).toFixed(2);
  console.log(
    [
      `  What the cut itself costs: 4 workers take ${cut} times the CPU of 1 worker.`,
      '  speed ×: the wall time of renderMedia with our settings, divided by this one; more is better.',
      '  CPU ×: divided by that of renderMedia with our settings; less is better. User and system seconds of all processes of the',
      '  renderer: for Rendermill the workers with everything below them, the feeder that each of them runs included; API and Postgres,',
      '  which are processes of their own, are not. renderMedia and the workers are warm; renderMedia opens its own browser.',
    ].join('\n'),
  );
};

const printCut = ({ workers, chunks, expectedMsPerFrame, times }: WorkersRun): void => {
  const expected = `${expectedMsPerFrame.toFixed(1)} ms a frame expected`;
  if (times === null) {
    console.log(`  ${workers} workers: ${expected}; not cut`);
    return;
  }
  const parts = [
    `claim ${seconds(times.claimMs)}`,
    `measure and cut ${seconds(times.measureMs)}`,
    `to a worker ${seconds(times.feedMs)}`,
    `chunks ${seconds(times.chunksMs)}`,
    `join ${seconds(times.joinMs)}`,
  ];
  console.log(`  ${workers} workers: ${expected}; ${chunks} chunks; ${parts.join(', ')}`);
};

const modelOf = (job: Job, parts: Parts, { workers }: Round): ModelInput | null => {
  const run = [workers[4], workers[2]].find(({ times }) => times !== null);
  if (run === undefined || run.times === null) return null;
  const { times, chunks, fileBytes } = run;
  return {
    ...parts,
    frames: job.frames,
    fps,
    thresholdSeconds: chunkAfterSeconds,
    claimMs: times.claimMs,
    measureMs: times.measureMs,
    feedMs: times.feedMs,
    joinMs: times.joinMs,
    joinedChunks: chunks,
    chunkBytes: times.bytes,
    fileBytes,
  };
};

const printModel = (given: ModelInput, measuredAlone: number): void => {
  const rows = modelled.map((machines) => modelWall(given, machines));
  const alone = rows[0]?.wallMs ?? Number.NaN;
  console.log('\n  Modelled: the same video on several machines like this one');
  console.log(
    `  ${['machines', 'chunks', 'frames each', 'wall s', 'speed ×'].map((text) => text.padStart(12)).join('')}`,
  );
  for (const { machines, chunks, framesPerChunk, wallMs } of rows) {
    const cells = [
      String(machines),
      String(chunks),
      String(framesPerChunk),
      (wallMs / 1000).toFixed(1),
      (alone / wallMs).toFixed(2),
    ];
    console.log(`  ${cells.map((text) => text.padStart(12)).join('')}`);
  }
  console.log(
    [
      `  wall = claim ${seconds(given.claimMs)} + measure and cut ${seconds(given.measureMs)} + rounds × (to a worker ${seconds(given.feedMs)} + fixed`,
      `  ${seconds(given.chunkMs)} + frames × ${given.msPerFrame.toFixed(1)} ms) + join ${seconds(given.joinMs)} for ${given.joinedChunks} chunks, ${given.joinMsPerChunk.toFixed(0)} ms for each one more;`,
      '  rounds = chunks / machines, rounded up; the chunks are planned as the product plans them.',
      `  Assumed: every machine is as fast as this one (${availableParallelism()} cores) when it does nothing else, has one worker with one slot, idle and warm;`,
      '  no straggler; storage at 1 Gbit/s each way for the measured bytes; database and queue answer as here.',
      `  To hold the model against: 1 worker, measured above, took ${measuredAlone.toFixed(1)} s.`,
    ].join('\n'),
  );
};

export const report = (job: Job, parts: Parts, rounds: readonly Round[]): void => {
  printVariants(rounds);
  const last = rounds.at(-1) as Round;
  console.log('\n  How it went, by the records of the last round:');
  for (const count of workerCounts.slice(1)) printCut(last.workers[count]);
  const { chunks } = last.workers[4];
  if (chunks !== 4)
    console.log(
      `  NOT CUT IN FOUR: core/plan-chunks.ts made ${chunks === 1 ? 'no cut' : `${chunks} chunks`} of ${job.frames} frames; it spends at most 15 % of the work on cutting.`,
    );
  const given = modelOf(job, parts, last);
  if (given === null) console.log('  Nothing was cut, so there is nothing to model from.');
  else printModel(given, last.workers[1].wallSeconds);
  const ratio = (value: (round: Round) => number): number => rounded(over(rounds, value), 3);
  console.log(
    JSON.stringify({
      cpuVsRenderMedia1: ratio((one) => one.workers[1].cpuSeconds / one.renderMediaAsOurs.cpuSeconds),
      cpuVsRenderMedia4: ratio((one) => one.workers[4].cpuSeconds / one.renderMediaAsOurs.cpuSeconds),
      wallVsRenderMedia4: ratio((one) => one.renderMediaAsOurs.wallSeconds / one.workers[4].wallSeconds),
      wallVsCli: ratio((one) => one.cli.wallSeconds / one.workers[4].wallSeconds),
    }),
  );
};
