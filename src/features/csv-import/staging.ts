/** Variants on their way into Postgres: by the few hundred in short transactions, the last of them in that of the acceptance. */
import type { CsvImportOptions } from '../../core/csv/import-options.ts';
import type { RenderMode } from '../../core/exports.ts';
import {
  addVariants,
  dropStagedBatch,
  type NewVariant,
  stageBatch,
} from '../../domain/batches/stage-batch.ts';
import { type PreparedBatch, prepareBatch } from '../../domain/exports/prepare-batch.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

export interface StagingDeps {
  readonly db: Database;
}

export interface StagedImport {
  readonly id: string;
  readonly organizationId: string;
  readonly renderMode: RenderMode;
  /** Names the version, so that all of the file is judged by the same. */
  readonly options: CsvImportOptions;
}

export interface Staging {
  add(variant: NewVariant): Promise<void>;
  /** The file is refused: what comes now is not kept. */
  stop(): void;
  /** Everything that was added is in the batch once this transaction has committed. */
  complete(tx: Tx, now: Date): Promise<PreparedBatch>;
  drop(): Promise<void>;
}

const variantsPerTransaction = 500;

export const createStaging = (deps: StagingDeps, staged: StagedImport, now: Date): Staging => {
  let waiting: NewVariant[] = [];
  let isStaged = false;
  let stopped = false;
  const prepare = async (tx: Tx, at: Date): Promise<PreparedBatch> => {
    const prepared = await prepareBatch(tx, staged.organizationId, staged.options);
    if (!isStaged) await stageBatch(tx, toBatch(staged, prepared), at);
    return prepared;
  };
  return {
    add: async (variant) => {
      if (stopped) return;
      waiting.push(variant);
      if (waiting.length < variantsPerTransaction) return;
      await deps.db.transaction().execute(async (tx) => {
        if (!isStaged) await prepare(tx, now);
        await addVariants(tx, staged.id, waiting);
      });
      isStaged = true;
      waiting = [];
    },
    stop: () => {
      stopped = true;
      waiting = [];
    },
    complete: async (tx, at) => {
      const prepared = await prepare(tx, at);
      await addVariants(tx, staged.id, waiting);
      return prepared;
    },
    drop: async () => {
      if (isStaged) await dropStagedBatch(deps.db, staged.id);
    },
  };
};

const toBatch = ({ id, organizationId, renderMode, options }: StagedImport, prepared: PreparedBatch) => ({
  id,
  organizationId,
  userId: options.userId,
  projectId: options.projectId,
  jobType: 'csv_import' as const,
  campaignId: options.campaignId ?? null,
  kind: options.kind,
  format: options.format,
  renderMode,
  compositionId: prepared.composition.id,
  version: prepared.composition.version,
  template: prepared.template,
  sizes: prepared.sizes,
  reuse: options.reuse,
});
