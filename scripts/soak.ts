/**
 * A quarter of an hour of the work that a service has all day: 500 stills (a fifth of them a campaign) and 50 videos arrive by the clock,
 * some fail, some are canceled, some are fetched. At the end nothing may be left that does not belong there: no process, no folder, no
 * object, no event too many or too few, no charge for what failed, no memory that only grows. Ends with code 1 where something is.
 *
 *   npm run soak                                        a quarter of an hour and what the machine is behind by then
 *   MINUTES=3 STILLS=100 VIDEOS=10 npm run soak         a short one; memory is judged from eight minutes on
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSoakService } from './soak/open-service.ts';
import { printReport, summaryOf } from './soak/print-report.ts';
import { runSoak } from './soak/run-soak.ts';

const sampleEveryMs = 3_000;

const readNumber = (name: string, fallback: number, least: number): number => {
  const value = Number(process.env[name] ?? fallback);
  if (!(value >= least))
    throw new Error(`${name}: expected a number from ${least}, found ${process.env[name]}`);
  return value;
};

const size = {
  minutes: readNumber('MINUTES', 15, 0.1),
  stills: Math.round(readNumber('STILLS', 500, 1)),
  videos: Math.round(readNumber('VIDEOS', 50, 1)),
  videoSeconds: 2.5,
};

const main = async (folder: string) => {
  console.log(`${size.stills} stills and ${size.videos} videos in ${size.minutes} minutes`);
  const service = await openSoakService(folder);
  const interrupted = () =>
    void service
      .stop()
      .catch((error: unknown) => console.error(error))
      .then(() => rm(folder, { recursive: true, force: true }))
      .finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const report = await runSoak(service, size, { sampleEveryMs, say: console.log });
    printReport(report, console.log);
    console.log(JSON.stringify(summaryOf(report)));
    if (report.problems.length > 0) process.exitCode = 1;
  } finally {
    // What went wrong before is what is told.
    await service.stop().catch(() => undefined);
  }
};

const folder = await mkdtemp(join(tmpdir(), 'rendermill-soak-'));
try {
  await main(folder);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
