/** A short leg of `npm run soak`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSoakService, type SoakService } from '../../scripts/soak/open-service.ts';
import { printReport, summaryOf } from '../../scripts/soak/print-report.ts';
import { runSoak } from '../../scripts/soak/run-soak.ts';

const size = { minutes: 0.3, stills: 25, videos: 3, videoSeconds: 1 };

let folder: string;
let service: SoakService;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-soak-'));
  service = await openSoakService(folder);
}, 240_000);
afterEach(async () => {
  await service?.stop().catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('25 stills and 3 videos: each ends, is recorded and charged once, and nothing is left (too short to judge the slope of memory)', async () => {
  const report = await runSoak(service, size, { sampleEveryMs: 1_000, say: console.log });
  printReport(report, console.log);
  expect(report.problems).toEqual([]);
  expect(report.samples.length).toBeGreaterThan(5);
  expect(Math.max(...report.samples.map(({ browsers }) => browsers))).toBeGreaterThan(0);
  expect(summaryOf(report)).toMatchObject({
    stills: 25,
    videos: 3,
    failed: 1,
    orphanBrowsers: 0,
    leftFolders: 0,
    eventsMissing: 0,
    eventsTwice: 0,
  });
  expect(report.downloads).toBeGreaterThan(2);
}, 420_000);
