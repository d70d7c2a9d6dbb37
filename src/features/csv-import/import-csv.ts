/**
 * A CSV file as a batch: received, read and judged row by row, staged, and then accepted in one transaction, all of its cells or
 * none. What is refused, and what a client that left began, leaves neither a batch nor a file.
 */
import type { Readable } from 'node:stream';
import { maxCells } from '../../core/batch-order.ts';
import { chooseRenderMode, type RenderModes } from '../../core/choose-render-mode.ts';
import type { CsvImportOptions } from '../../core/csv/import-options.ts';
import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import { newId } from '../../core/ids.ts';
import { renderModesOf } from '../../domain/accounts/organizations.ts';
import { storeReport } from '../../domain/batches/stage-batch.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import { budgetText, createBatchJudge } from '../../domain/compositions/judge-batch.ts';
import type { PropsReason } from '../../domain/compositions/validate-props.ts';
import { acceptRun } from '../../domain/exports/accept-run.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import {
  claimIdempotencyKey,
  findAnswer,
  hashRequest,
  type IdempotencyScope,
  isKnownKey,
  storeAnswer,
} from '../../domain/exports/idempotency.ts';
import { type LimitState, limitState } from '../../domain/exports/limits.ts';
import { assertCells, prepareBatch } from '../../domain/exports/prepare-batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { withoutTrace } from '../../platform/db/without-trace.ts';
import { type FileReport, readRows } from './read-rows.ts';
import { type SpooledFile, spoolUpload } from './spool-upload.ts';
import { createStaging, type StagedImport, type Staging, type StagingDeps } from './staging.ts';

export interface ImportCsvDeps extends StagingDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
  /** Uploads lie here until they are read. */
  readonly directory: string;
}

export interface ImportOrder {
  readonly organizationId: string;
  readonly options: CsvImportOptions;
  readonly file: Readable;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: string;
  /** The client has left. */
  readonly signal: AbortSignal;
}

interface Limits {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
}

type Report = Omit<FileReport, 'preview'>;

export interface ImportAcceptance extends Report, Limits, Record<string, unknown> {
  readonly id: string;
  readonly status: 'accepted';
  readonly version: string;
  readonly cells: number;
}

export interface ImportPlan extends FileReport, Limits, Record<string, unknown> {
  readonly dryRun: true;
  readonly version: string;
  readonly cells: number;
  /** Whether the import would be accepted now; `refusal` says why not. */
  readonly allowed: boolean;
  readonly refusal: { readonly code: string; readonly message: string } | null;
}

const route = 'POST /api/imports/csv';

export type ImportOutcome =
  | { readonly type: 'accepted'; readonly answer: ImportAcceptance; readonly replayed: boolean }
  | { readonly type: 'planned'; readonly answer: ImportPlan };

/** Throws `csv_unreadable`, `rows_refused`, `payload_too_large`, what a batch and its limits are refused for, `service_overloaded`, `render_mode_unavailable`, `render_mode_forbidden`, and `idempotency_conflict`. */
export const importCsv = async (deps: ImportCsvDeps, order: ImportOrder): Promise<ImportOutcome> => {
  const { organizationId, options } = order;
  // Before the first byte is read: what no file could mend.
  const { composition } = await withoutTrace(deps.db, (tx) => prepareBatch(tx, organizationId, options));
  // A known key would have its answer all the same, which its file decides; a dry run tells of the refusal.
  if (!options.dryRun && !(await isReplay(deps, order))) await assertPossible(deps, order);
  const file = await spoolUpload(order.file, deps.directory);
  try {
    const import_ = { ...order, options: { ...options, version: composition.version } };
    return options.dryRun
      ? { type: 'planned', answer: await planImport(deps, import_, composition, file) }
      : await acceptImport(deps, import_, composition, file, scopeOf(order, file));
  } finally {
    await file.remove();
  }
};

const chooseMode = async (
  db: Reader,
  { renderModes }: ImportCsvDeps,
  { organizationId, options }: ImportOrder,
): Promise<RenderMode> =>
  chooseRenderMode(await renderModesOf(db, organizationId, renderModes), options.renderMode);

/** Refuses what the installation has no place for, whatever is in the file. */
const assertPossible = async (deps: ImportCsvDeps, order: ImportOrder): Promise<void> => {
  await chooseMode(deps.db, deps, order);
  await deps.admission.look();
  deps.admission.assertRoom(order.options.sizes.length);
};

const isReplay = async (
  { db, clock }: ImportCsvDeps,
  { organizationId, idempotencyKey: key }: ImportOrder,
): Promise<boolean> =>
  key !== undefined && (await isKnownKey(db, { organizationId, route, key }, clock.now()));

const scopeOf = ({ organizationId, options, idempotencyKey }: ImportOrder, file: SpooledFile) =>
  idempotencyKey === undefined
    ? null
    : {
        organizationId,
        route,
        key: idempotencyKey,
        requestHash: hashRequest({ options, file: file.sha256 }),
      };

const acceptImport = async (
  deps: ImportCsvDeps,
  order: ImportOrder,
  composition: Composition,
  file: SpooledFile,
  scope: IdempotencyScope | null,
): Promise<ImportOutcome> => {
  // A replay need not read the file; the claim that counts is that of the acceptance.
  const before = scope && (await findAnswer(deps.db, scope, deps.clock.now()));
  if (before) return { type: 'accepted', answer: before as ImportAcceptance, replayed: true };
  await assertPossible(deps, order);
  const staged = {
    id: newId(deps.clock.now()),
    organizationId: order.organizationId,
    renderMode: await chooseMode(deps.db, deps, order),
    options: order.options,
  };
  const staging = createStaging(deps, staged, deps.clock.now());
  try {
    const report = await read(order, composition, file, staging);
    assertAccepted(report, order.options);
    order.signal.throwIfAborted();
    await deps.admission.look();
    const outcome = await deps.db
      .transaction()
      .execute((tx) => acceptStaged(tx, deps, { order, report, staged, staging, file, scope }));
    if (outcome.replayed) await staging.drop();
    return { type: 'accepted', ...outcome };
  } catch (error) {
    await staging.drop();
    throw error;
  }
};

const read = (
  { options, signal }: ImportOrder,
  composition: Composition,
  file: SpooledFile,
  staging: Staging | null,
): Promise<FileReport> => {
  let count = 0;
  return readRows(file, {
    options,
    signal,
    composition: {
      id: composition.id,
      schema: composition.props_schema,
      defaults: composition.default_props,
    },
    judge: createJudge(composition),
    onVariant: async (variant) => {
      count += 1;
      // The rest of a file that is too long need not be read.
      if (count * options.sizes.length > maxCells) assertCells(count, options.sizes.length);
      await staging?.add(variant);
    },
    onRefused: () => {
      if (options.onError === 'abort') staging?.stop();
    },
  });
};

/** A schema that cannot judge in time holds everybody up each time. The deadline is one of the wall clock: a busy machine misses some. */
const maxUnjudged = 5;

const createJudge = (composition: Composition) => {
  const judge = createBatchJudge(composition);
  let judged = 0;
  let unjudged = 0;
  const again = (props: Readonly<Record<string, unknown>>): readonly PropsReason[] => {
    try {
      return judge.one(props);
    } catch (error) {
      if (!(error instanceof RendermillError) || error.code !== 'invalid_props') throw error;
      unjudged += 1;
      if (unjudged >= maxUnjudged || judge.isSpent) throw error;
      return again(props);
    }
  };
  return (many: readonly Readonly<Record<string, unknown>>[]): readonly (readonly PropsReason[])[] => {
    if (judge.isSpent) throw outOfTime(composition, judged);
    const found = judge.some(many).map((reasons, index) => {
      if (reasons !== null) return reasons;
      unjudged += 1;
      return again(many[index] ?? {});
    });
    judged += found.length;
    return found;
  };
};

const outOfTime = ({ id }: Composition, judged: number): RendermillError =>
  new RendermillError('invalid_props', {
    message: `Only the first ${judged} rows were judged: for one request the schema of "${id}" may take ${budgetText}. Look for a pattern in it that backtracks without end, or split the file.`,
    details: { compositionId: id, judged, reasons: [] },
  });

const rowsRefused = ({ preview: _preview, ...report }: FileReport): RendermillError => {
  const [first] = report.problems;
  const example =
    first === undefined
      ? ''
      : ` The first: line ${first.line}${first.column === null ? '' : `, column "${first.column}"`}: ${first.reason}.`;
  return new RendermillError('rows_refused', {
    message: `${report.refused} of ${report.rows} rows are not valid, and nothing was imported.${example} Mend them, or ask for "onError": "skip".`,
    details: { ...report },
  });
};

/** Without a row there is no batch, whatever was asked for. */
const refusalOf = (report: FileReport, options: CsvImportOptions): RendermillError | null =>
  report.accepted === 0 || (report.refused > 0 && options.onError === 'abort') ? rowsRefused(report) : null;

const assertAccepted = (report: FileReport, options: CsvImportOptions): void => {
  const refusal = refusalOf(report, options);
  if (refusal) throw refusal;
};

interface StagedOrder {
  readonly order: ImportOrder;
  readonly report: FileReport;
  readonly staged: StagedImport;
  readonly staging: Staging;
  readonly file: SpooledFile;
  readonly scope: IdempotencyScope | null;
}

const acceptStaged = async (
  tx: Tx,
  deps: ImportCsvDeps,
  { order, report, staged, staging, file, scope }: StagedOrder,
): Promise<{ answer: ImportAcceptance; replayed: boolean }> => {
  const now = deps.clock.now();
  const before = scope && (await claimIdempotencyKey(tx, scope, now));
  if (before) return { answer: before as ImportAcceptance, replayed: true };
  const cells = assertCells(report.accepted, order.options.sizes.length);
  // Reading the file may have taken long, and the mode been taken away meanwhile.
  chooseRenderMode(await renderModesOf(tx, order.organizationId, deps.renderModes), staged.renderMode);
  deps.admission.assertRoom(cells);
  const { who, composition } = await staging.complete(tx, now);
  const { preview: _preview, ...kept } = report;
  await storeReport(tx, staged.id, { ...kept, sizeInBytes: file.sizeInBytes, sha256: file.sha256 });
  const { reservation } = await acceptRun(
    tx,
    who,
    { id: staged.id, project_id: order.options.projectId },
    { run: 1, cells, correlationId: order.correlationId },
    now,
  );
  deps.admission.take(cells);
  const answer: ImportAcceptance = {
    id: staged.id,
    status: 'accepted',
    version: composition.version,
    cells,
    ...toLimits(reservation),
    ...kept,
  };
  if (scope) await storeAnswer(tx, scope, answer);
  return { answer, replayed: false };
};

const toLimits = ({ limit, remaining, resetAt }: LimitState): Limits => ({
  limit,
  remaining,
  resetAt: resetAt.toISOString(),
});

/** Reads and judges the whole file, and tries the acceptance in a transaction that is taken back. */
const planImport = async (
  deps: ImportCsvDeps,
  order: ImportOrder,
  composition: Composition,
  file: SpooledFile,
): Promise<ImportPlan> => {
  const report = await read(order, composition, file, null);
  const cells = report.accepted * order.options.sizes.length;
  const limits = await withoutTrace(deps.db, async (tx) => {
    const { who } = await prepareBatch(tx, order.organizationId, order.options);
    return limitState(tx, who, deps.clock.now());
  });
  const refusal = refusalOf(report, order.options) ?? (await tryAcceptance(deps, order, cells));
  return {
    dryRun: true,
    version: composition.version,
    cells,
    allowed: refusal === null,
    refusal: refusal && { code: refusal.code, message: refusal.message },
    ...toLimits(limits),
    ...report,
  };
};

const tryAcceptance = async (
  deps: ImportCsvDeps,
  order: ImportOrder,
  cells: number,
): Promise<RendermillError | null> => {
  await deps.admission.look();
  return withoutTrace(deps.db, async (tx) => {
    const now = deps.clock.now();
    const { organizationId, options, correlationId } = order;
    const renderMode = await chooseMode(tx, deps, order);
    const staged = { id: newId(now), organizationId, renderMode, options };
    const { who } = await createStaging(deps, staged, now).complete(tx, now);
    const batch = { id: staged.id, project_id: options.projectId };
    await acceptRun(tx, who, batch, { run: 1, cells, correlationId }, now);
    return deps.admission.refusalOf(cells);
  }).catch((error: unknown) => {
    if (error instanceof RendermillError && error.status < 500) return error;
    throw error;
  });
};
