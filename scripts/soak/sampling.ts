import { setTimeout as delay } from 'node:timers/promises';
import type { SoakService } from './open-service.ts';
import type { ProcessWatch } from './processes.ts';
import { readProcesses, type SoakSample, takeSample } from './sample.ts';

export interface SoakOptions {
  readonly sampleEveryMs: number;
  readonly say: (line: string) => void;
}

export interface Clocked {
  /** Since the begin of the run. */
  readonly elapsedMs: () => number;
}

const sayEveryMs = 30_000;

/** Looks at the service until it is told to end; resolves then. */
export const startSampling = (
  service: SoakService,
  watch: ProcessWatch,
  { elapsedMs, sampleEveryMs, say }: SoakOptions & Clocked,
) => {
  const samples: SoakSample[] = [];
  const end = new AbortController();
  const folders = { home: service.home, temporary: service.temporary };
  const look = async () => {
    watch.note(readProcesses(service));
    const sample = await takeSample({ ...service, folders }, elapsedMs());
    samples.push(sample);
    return sample;
  };
  const run = async () => {
    let saidAtMs = 0;
    while (!end.signal.aborted) {
      const sample = await look().catch((error: unknown) => say(`  a sample failed: ${error}`));
      if (sample && sample.atMs - saidAtMs >= sayEveryMs) {
        saidAtMs = sample.atMs;
        const { waiting, lag, memoryMb, browsers } = sample;
        say(
          `  ${Math.round(sample.atMs / 1000)} s: ${sample.load} at work, ${waiting} waiting for up to ${lag.toFixed(0)} s, ${memoryMb.toFixed(0)} MB, ${browsers} browsers`,
        );
      }
      await delay(sampleEveryMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    samples,
    end: async () => {
      end.abort();
      await running;
    },
  };
};
