import { median, shortestWindowMs } from './memory-slope.ts';
import { roleOf } from './processes.ts';
import type { SoakReport } from './run-soak.ts';
import type { SoakSample } from './sample.ts';

type Figure = {
  [Name in keyof SoakSample]: SoakSample[Name] extends number ? Name : never;
}[keyof SoakSample];

const figures: ReadonlyArray<readonly [Figure, string]> = [
  ['memoryMb', 'memory of all but Postgres, MB'],
  ['heldMb', '  that no file backs, MB'],
  ['apiMb', 'resident: API and dispatcher, MB'],
  ['workerMb', 'resident: worker, MB'],
  ['browsers', 'browsers'],
  ['processes', 'processes'],
  ['files', 'open files of Node processes'],
  ['folders', 'temporary folders'],
  ['workMb', 'disk of renders at work, MB'],
  ['waiting', 'exports in line'],
  ['lag', 'oldest of them, seconds'],
];

const numberOf = (value: number): string =>
  value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0).padStart(9);

const row = (samples: readonly SoakSample[], [name, title]: (typeof figures)[number]): string => {
  const values = samples.map((sample) => sample[name]);
  const shown = [values[0] ?? 0, median(values), Math.max(...values), values.at(-1) ?? 0];
  return `  ${title.padEnd(36)}${shown.map(numberOf).join('')}`;
};

const slopeLine = ({ slope }: SoakReport): string => {
  if (slope === null) return 'not known: no two samples compare';
  const judged = slope.windowMs < shortestWindowMs ? ' (not judged: too short a run)' : '';
  return `${slope.percent.toFixed(1)} % in a quarter of an hour, of ${slope.medianMb.toFixed(0)} MB, ${slope.sigmas.toFixed(1)} σ, by ${slope.samples} samples${judged}`;
};

export const printReport = (report: SoakReport, print: (line: string) => void): void => {
  const { exports, samples, backlog } = report;
  print(
    `\n  ${''.padEnd(36)}${['first', 'median', 'most', 'last'].map((text) => text.padStart(9)).join('')}`,
  );
  for (const figure of figures) print(row(samples, figure));
  print(`\n  memory grows by     ${slopeLine(report)}`);
  print(
    `  exports             ${report.accepted} accepted (${exports.stills} stills, ${exports.videos} videos), ${exports.completed} completed, ${exports.failed} failed, ${exports.canceled} canceled; ${exports.cut} videos cut`,
  );
  print(
    `  single stills       ${exports.p50Ms} ms from request to file (median), ${exports.p95Ms} ms (95th percentile)`,
  );
  print(
    `  arrivals            by the clock, at most ${Math.round(report.latestMs)} ms late; then ${backlog.exports} were left, for ${backlog.seconds.toFixed(0)} s`,
  );
  print(`  downloads           ${report.downloads}, each checked as it arrived`);
  const { problems } = report;
  print(problems.length === 0 ? '\n  Nothing is wrong.' : `\n  ${problems.length} things are wrong:`);
  for (const problem of problems) print(`    ${problem}`);
};

/** One object, for whoever keeps the figures. */
export const summaryOf = (report: SoakReport) => {
  const { exports, leftProcesses, leftFolders, slope, events } = report;
  return {
    stills: exports.stills,
    videos: exports.videos,
    minutes: Number((report.seconds / 60).toFixed(1)),
    completed: exports.completed,
    failed: exports.failed,
    canceled: exports.canceled,
    cutVideos: exports.cut,
    orphanBrowsers: leftProcesses.filter((line) =>
      ['browser', 'part of a browser'].includes(roleOf(line.slice(line.indexOf(' ') + 1))),
    ).length,
    leftProcesses: leftProcesses.length,
    leftFolders: leftFolders.length,
    memorySlopePercent: slope === null ? null : Number(slope.percent.toFixed(1)),
    eventsMissing: events.missing.length,
    eventsTwice: events.tooMany.length,
    p50Ms: exports.p50Ms,
    p95Ms: exports.p95Ms,
    problems: report.problems.length,
  };
};
