/**
 * From pictures on this machine to completed exports: stored and recorded beside the rendering that goes on, several in one
 * transaction, because a commit each would cost more than the smallest pictures do.
 */
import { RendermillError } from '../../core/errors.ts';
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import { completeExports, type RenderedFile } from '../../domain/exports/complete-export.ts';
import type { Export } from '../../domain/exports/export.ts';
import { failExport } from '../../domain/exports/fail-export.ts';
import { retryAlone } from '../../domain/exports/return-export.ts';
import type { Started } from '../../domain/exports/start-export.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { RenderResult } from '../../platform/renderer/contract.ts';
import { maxFailedAttempts } from './attempts.ts';
import type { GroupHold } from './hold-group.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { storeFile } from './store-file.ts';
import { whileUnavailable } from './while-unavailable.ts';

export type Published = { readonly cell: Started; readonly path: string } & (
  | { readonly result: RenderResult }
  | { readonly error: RendermillError }
);

export interface Publisher {
  add(published: Published): void;
  /** Resolves when all that was added is recorded. Rejects where something could not be: the database is away for long. */
  finish(): Promise<void>;
}

interface Stored {
  readonly cell: Started;
  readonly file: RenderedFile;
}

/** Recorded together at most; a second of rendering, so that progress is seen. */
const mostAtOnce = 16;
const recordEveryMs = 500;

export const createPublisher = (deps: RunRenderDeps, hold: GroupHold): Publisher => {
  const waiting: Published[] = [];
  let stored: Stored[] = [];
  let recordedMs = Date.now();
  let working: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;

  const record = async (): Promise<void> => {
    const batch = stored;
    stored = [];
    recordedMs = Date.now();
    if (batch.length > 0) await complete(deps, hold, batch);
  };

  const publish = async (one: Published): Promise<void> => {
    if ('error' in one) return settleFailure(deps, hold, one.cell, one.error);
    try {
      const { export: row, fence } = one.cell;
      stored.push({ cell: one.cell, file: await storeFile(deps, row, fence, one) });
    } catch (error) {
      const known =
        error instanceof RendermillError ? error : new RendermillError('render_failed', { cause: error });
      await settleFailure(deps, hold, one.cell, known);
    }
  };

  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      await publish(one);
      if (stored.length >= mostAtOnce || Date.now() - recordedMs >= recordEveryMs) await record();
    }
  };

  const wake = (): void => {
    working ??= work()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        working = null;
        if (waiting.length > 0 && failure === null) wake();
      });
  };

  return {
    add: (published) => {
      waiting.push(published);
      wake();
    },
    finish: async () => {
      while (working !== null) await working;
      if (failure === null) await record();
      if (failure !== null) throw failure.error;
    },
  };
};

const complete = async (deps: RunRenderDeps, hold: GroupHold, stored: readonly Stored[]): Promise<void> => {
  const now = () => deps.clock.now();
  const finished = stored.map(({ cell, file }) => ({ fence: cell.fence, file }));
  const ended = await whileUnavailable(deps.log, () =>
    deps.db.transaction().execute(async (tx) => {
      const rows = await completeExports(tx, finished, now());
      deps.checkpoint?.('group_before_commit');
      return rows;
    }),
  );
  deps.checkpoint?.('group_committed');
  hold.forget(ended.map((row) => row.id));
  const completed = new Set(ended.flatMap((row) => (row.status === 'completed' ? [row.id] : [])));
  for (const { cell, file } of stored) {
    if (!completed.has(cell.fence.exportId)) await removeUnlessKept(deps, cell.export, file);
    // Only an earlier attempt can have left anything.
    else if (cell.fence.attempt > 1) await removeStrayFiles(deps, cell.export);
  }
};

/** A commit whose answer was lost may have happened: then the fence holds no more, and the file must stay. */
const removeUnlessKept = async (deps: RunRenderDeps, row: Export, file: RenderedFile): Promise<void> => {
  const kept = (await findArtifactsOf(deps.db, [row.id])).get(row.id)?.storage_key;
  if (kept !== file.storageKey) await deps.storage.delete(file.storageKey);
};

/** The cell fails by itself: tried again alone where the machine was to blame, else for good. */
export const settleFailure = async (
  deps: RunRenderDeps,
  hold: GroupHold,
  { export: row, fence }: Started,
  error: RendermillError,
): Promise<void> => {
  const { code } = error;
  deps.log.warn({ err: error, code, exportId: row.id, attempt: fence.attempt }, 'a render of a group failed');
  const reason = { code, text: error.message };
  const isWorthAnother = error.retryable && row.failed_attempts + 1 < maxFailedAttempts;
  const settle = isWorthAnother ? retryAlone : failExport;
  await unlessLost(deps, (tx) => settle(tx, fence, reason, deps.clock.now()));
  hold.forget([fence.exportId]);
  if (!isWorthAnother) await removeStrayFiles(deps, row);
};

/** `render_lost` means that someone else has settled it. */
const unlessLost = async (deps: RunRenderDeps, write: (tx: Tx) => Promise<unknown>): Promise<void> => {
  try {
    await whileUnavailable(deps.log, () => deps.db.transaction().execute(write));
  } catch (error) {
    if (!(error instanceof RendermillError && error.code === 'render_lost')) throw error;
  }
};
