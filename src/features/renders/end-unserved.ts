import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import { type UnplannedRun, unplannedRuns } from '../../domain/batches/due-runs.ts';
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
  /** Whose campaign was planned last, by mode. The caller keeps it between rounds, so that the turns go on where they ended. */
  readonly turns: Map<RenderMode, string>;
}

export interface UnservedRound {
  /** Exports that were ended, or went to the workers. */
  readonly settled: number;
  /** The next round may find work at once. */
  readonly isMore: boolean;
}

/** A round of some seconds: a process that stops waits for it. No more is planned than is ended, or the exports would only pile up. */
const endsARound = 500;
const endsOfALine = 100;
const partsARound = 5;
const cellsAPart = 100;
/** Some of them cannot be planned, or somebody else plans them. */
const runsARound = 100;
/** Exports, far fewer than end in the gap after which the watch begins anew. */
const looksEvery = 20;

/**
 * Looks which modes have no worker, and ends some of what has waited too long for one, or hands it to the workers: first exports, then,
 * for the rounds to come, it makes exports of cells of campaigns that nobody has planned. Organizations take turns in both. Each export
 * has a transaction of its own and comes to one end, also where a worker comes back at this moment.
 */
export const endUnservedExports = async (deps: EndUnservedDeps): Promise<UnservedRound> => {
  let settled = 0;
  let planned = 0;
  for (const mode of await overdueModes(deps)) {
    settled += await endInTurns(deps, mode);
    planned += await planInTurns(deps, mode);
  }
  return { settled, isMore: settled + planned > 0 };
};

const waitingSince = ({ clock, timeoutSeconds }: EndUnservedDeps): Date =>
  new Date(clock.now().getTime() - timeoutSeconds * 1000);

/** Modes that have had no worker for the whole time. Watches them also where everything waits for ever: others show it. */
const overdueModes = async (deps: EndUnservedDeps): Promise<readonly RenderMode[]> => {
  const unserved = await watchModes(deps.db, deps.clock.now());
  if (deps.timeoutSeconds === 0) return [];
  const before = waitingSince(deps);
  return unserved.filter(({ since }) => since <= before).map(({ renderMode }) => renderMode);
};

/** Asked again and again in a round: a worker may have come back, and a long round is no time in which nobody watched. */
const isStillOverdue = async (deps: EndUnservedDeps, mode: RenderMode): Promise<boolean> =>
  (await overdueModes(deps)).includes(mode);

/** Returns how many cells it made exports of. A run that cannot be planned holds up no other. */
const planInTurns = async (deps: EndUnservedDeps, mode: RenderMode): Promise<number> => {
  const runs = await unplannedRuns(deps.db, {
    mode,
    before: waitingSince(deps),
    behind: deps.turns.get(mode) ?? '',
    limit: runsARound,
  });
  const had = new Set<string>();
  let planned = 0;
  for (const run of runs) {
    if (had.has(run.organizationId)) continue;
    if (had.size === partsARound || !(await isStillOverdue(deps, mode))) break;
    deps.turns.set(mode, run.organizationId);
    const cells = await planPart(deps, mode, run);
    if (cells > 0) had.add(run.organizationId);
    planned += cells;
  }
  return planned;
};

const planPart = (
  { db, clock, log }: EndUnservedDeps,
  mode: RenderMode,
  run: UnplannedRun,
): Promise<number> =>
  planUnserved(db, run, { mode, cells: cellsAPart }, clock.now()).catch((err: unknown) => {
    log.warn(
      { err, batchId: run.batchId, run: run.run },
      'cells of a campaign without a worker could not be made exports; they wait on',
    );
    return 0;
  });

const endInTurns = async (deps: EndUnservedDeps, mode: RenderMode): Promise<number> => {
  const bounds = { limit: endsARound, perLine: endsOfALine };
  const overdue = await findUnserved(deps.db, { mode, before: waitingSince(deps), ...bounds });
  let settled = 0;
  for (let at = 0; at < overdue.length && (await isStillOverdue(deps, mode)); at += looksEvery)
    settled += await endSome(deps, mode, overdue.slice(at, at + looksEvery));
  if (settled > 0) {
    deps.log.warn(
      { exports: settled, renderMode: mode, timeoutSeconds: deps.timeoutSeconds, fallsBack: deps.fallsBack },
      'no worker serves this mode: what had waited for it for too long was ended, or handed to the workers',
    );
  }
  return settled;
};

/** One that cannot be ended holds up none of the others. */
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
      .catch((err: unknown) => {
        if (!isLost(err)) deps.log.warn({ err, exportId: one.exportId }, notEnded);
        return null;
      });
    if (outcome === false) return ended;
    if (outcome === true) ended += 1;
  }
  return ended;
};

const notEnded = 'an export without a worker could not be ended; it is tried again';

/** Somebody else has settled it. */
const isLost = (error: unknown): boolean => error instanceof RendermillError && error.code === 'render_lost';

const reasonOf = (mode: RenderMode, seconds: number): string =>
  `No worker has rendered in the mode ${mode} for ${seconds} seconds (UNSERVED_TIMEOUT_SECONDS). Request it again once one does, or in another mode.`;
