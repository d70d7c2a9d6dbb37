import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import { unplannedRuns } from '../../domain/batches/due-runs.ts';
import type { Fence } from '../../domain/exports/export.ts';
import { planUnserved } from '../../domain/exports/plan-unserved.ts';
import { endUnserved, findUnserved, watchModes } from '../../domain/exports/unserved.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';

export interface EndUnservedDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an export waits for a mode without a worker; 0: for ever. */
  readonly timeoutSeconds: number;
  /** Renders of a Lambda that nobody serves go to the workers. */
  readonly fallsBack: boolean;
}

const atOnce = 100;
/** Runs of campaigns; what is left is for the next look. */
const runsAtOnce = 100;

/**
 * Looks which modes have no worker, and ends what has waited too long for one, or hands it to the workers: exports, and cells of
 * campaigns that nobody has planned. Each export has a transaction of its own and comes to one end, also where a worker comes back at
 * this moment. Returns how many it settled.
 */
export const endUnservedExports = async (deps: EndUnservedDeps): Promise<number> => {
  const now = deps.clock.now();
  const unserved = await watchModes(deps.db, now);
  if (deps.timeoutSeconds === 0) return 0;
  const before = new Date(now.getTime() - deps.timeoutSeconds * 1000);
  let settled = 0;
  for (const { renderMode, since } of unserved) {
    if (since > before) continue;
    await planAll(deps, renderMode, before);
    settled += await endAll(deps, renderMode, before);
  }
  return settled;
};

/** A run that cannot be planned holds up neither the others nor the exports. */
const planAll = async (
  { db, clock, log }: EndUnservedDeps,
  mode: RenderMode,
  before: Date,
): Promise<void> => {
  for (const fed of await unplannedRuns(db, { mode, before, limit: runsAtOnce })) {
    await planUnserved(db, fed, mode, clock.now()).catch((err: unknown) =>
      log.warn(
        { err, batchId: fed.batchId, run: fed.run },
        'cells of a campaign without a worker could not be made exports; they wait on',
      ),
    );
  }
};

const endAll = async (deps: EndUnservedDeps, mode: RenderMode, before: Date): Promise<number> => {
  let settled = 0;
  for (;;) {
    const overdue = await findUnserved(deps.db, { mode, before, limit: atOnce });
    const ended = await endSome(deps, mode, overdue);
    settled += ended;
    // The rest is somebody else's, or a worker has come back.
    if (ended < atOnce) break;
  }
  if (settled > 0) {
    deps.log.warn(
      { exports: settled, renderMode: mode, timeoutSeconds: deps.timeoutSeconds, fallsBack: deps.fallsBack },
      'no worker serves this mode: what had waited for it for too long was ended, or handed to the workers',
    );
  }
  return settled;
};

const endSome = async (
  deps: EndUnservedDeps,
  mode: RenderMode,
  overdue: readonly Fence[],
): Promise<number> => {
  const given = { mode, fallsBack: deps.fallsBack, text: reasonOf(mode, deps.timeoutSeconds) };
  let ended = 0;
  for (const one of overdue) {
    const outcome = await deps.db
      .transaction()
      .execute((tx) => endUnserved(tx, one, given, deps.clock.now()))
      .catch(lost);
    if (outcome === false) return ended;
    if (outcome === true) ended += 1;
  }
  return ended;
};

/** Somebody else has settled it. */
const lost = (error: unknown): null => {
  if (error instanceof RendermillError && error.code === 'render_lost') return null;
  throw error;
};

const reasonOf = (mode: RenderMode, seconds: number): string =>
  `No worker has rendered in the mode ${mode} for ${seconds} seconds (UNSERVED_TIMEOUT_SECONDS). Request it again once one does, or in another mode.`;
