import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBrowser } from '../../../src/platform/renderer/browser/find-browser.ts';
import { readTree, readProcText } from '../support/process-tree.ts';
import { startScaleService } from './service.ts';
import { endAll } from './processes.ts';
const directory = await mkdtemp(join(tmpdir(), 'rendermill-bench-scale-'));
const { path: browserExecutable } = await findBrowser({});
const service = await startScaleService({ job: { seconds: 6, frames: 180, width: 320, height: 180 }, directory, bundlePath: '', browserExecutable });
const workers = await service.startWorkers(2);
const snap = () => new Map(readTree(({ pid }) => workers.pids.includes(pid)).map((s) => [s.key, { s: s.seconds + s.reapedSeconds, c: readProcText(`/proc/${s.pid}/cmdline`).replaceAll('\0', ' ').slice(-60) }]));
for (let i = 0; i < 5; i++) {
  const a = snap(); await sleep(5000); const b = snap();
  const rows = [...b].map(([k, v]) => [v.s - (a.get(k)?.s ?? 0), k, v.c] as const).filter(([d]) => d > 0.02);
  console.log(i, b.size, rows.map(([d, k, c]) => `${d.toFixed(2)} ${k.split(' ')[0]} ${c}`).join('\n   '));
}
await workers.stop(); await service.stop(); await endAll(); await rm(directory, { recursive: true, force: true });
