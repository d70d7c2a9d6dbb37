/** A worker of its own process that ends itself with SIGKILL at a checkpoint: `KILL_AT=<checkpoint>`; without it, an ordinary one. */
import { openRecords, openResources } from '../../src/apps/resources.ts';
import { startWorker } from '../../src/apps/worker/start-worker.ts';
import type { Checkpoint } from '../../src/features/renders/render-deps.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import { createLogger } from '../../src/platform/log/log.ts';

const killAt = process.env.KILL_AT;
const config = loadConfig(process.env);
const log = createLogger({ level: config.LOG_LEVEL });
const lifecycle = createLifecycle({ log, deadlineMs: 20_000 });
lifecycle.listenToSignals();

const owner = { config, log, lifecycle };
const resources = await openResources(owner, await openRecords(owner, { owner: false }));
await startWorker(resources, {
  concurrency: config.WORKER_CONCURRENCY,
  checkpoint: (name: Checkpoint) => {
    if (name === killAt) process.kill(process.pid, 'SIGKILL');
  },
});
process.send?.('ready');
