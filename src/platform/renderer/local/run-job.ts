import { rm } from 'node:fs/promises';
import type { RenderOptions } from '../contract.ts';
import type { LocalRendererSettings } from './options.ts';
import type { ChildPool } from './pool/child-pool.ts';
import type { Tenant } from './pool/choose-slot.ts';
import type { OnProgress, RenderChild } from './pool/render-child.ts';
import { supervise } from './supervise.ts';
import type { Watchdog } from './watchdog.ts';

export interface Job<T> {
  readonly tenant: Tenant;
  readonly maxRenderMs: number;
  /** Absolute paths of files that are not there after a rejection. */
  readonly leaves: readonly string[];
  readonly options: RenderOptions | undefined;
  readonly begin: (child: RenderChild, onProgress: OnProgress) => Promise<T>;
}

export type RunJob = <T>(job: Job<T>) => Promise<T>;

/** Has a leased child do the work under watch; one that failed at it is never used again. */
export const superviseInChild = async <T>(
  pool: ChildPool,
  given: Pick<Job<T>, 'tenant' | 'maxRenderMs'> & { readonly settings: LocalRendererSettings },
  signal: AbortSignal,
  begin: (child: RenderChild, watchdog: Watchdog) => Promise<T>,
): Promise<T> => {
  const lease = await pool.acquire(given.tenant, signal);
  try {
    const limits = { ...given.settings, maxRenderMs: given.maxRenderMs };
    const result = await supervise(lease.child, limits, signal, (watchdog) => begin(lease.child, watchdog));
    void lease.release('keep');
    return result;
  } catch (error) {
    await lease.release('end');
    throw error;
  }
};

/** `signal` instead of the one in the job's options. */
export const createRunJob =
  (pool: ChildPool, settings: LocalRendererSettings) =>
  async <T>(job: Job<T>, signal: AbortSignal): Promise<T> => {
    try {
      return await superviseInChild(pool, { ...job, settings }, signal, (child, watchdog) =>
        job.begin(child, (progress) => {
          watchdog.beat();
          if (progress !== null) job.options?.onProgress?.(progress);
        }),
      );
    } catch (error) {
      await Promise.all(job.leaves.map((file) => rm(file, { force: true })));
      throw error;
    }
  };
