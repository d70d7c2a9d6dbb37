/** Exports that are cells of a batch, grouped by the run that counts them. */
import type { Tx } from '../../platform/db/client.ts';
import { lockRun, type RunKey } from '../batches/batch.ts';
import { countEnds, countStart, type EndedCells } from '../batches/count-cells.ts';
import type { Export } from './export.ts';

const runsOf = (rows: readonly Export[]): { key: RunKey; rows: Export[] }[] => {
  const runs = new Map<string, { key: RunKey; rows: Export[] }>();
  for (const row of rows) {
    if (row.batch_id === null || row.run === null) continue;
    const name = `${row.batch_id}/${row.run}`;
    const known = runs.get(name);
    if (known) known.rows.push(row);
    else runs.set(name, { key: { batchId: row.batch_id, run: row.run }, rows: [row] });
  }
  return [...runs.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, run]) => run);
};

/** After the exports' own rows, and before usage, credits and project: the order in which everybody locks. */
export const lockRunsOf = async (tx: Tx, rows: readonly Export[]): Promise<void> => {
  for (const { key } of runsOf(rows)) await lockRun(tx, key);
};

export const countStartOf = async (
  tx: Tx,
  rows: readonly Export[],
  source: 'server' | 'worker',
  now: Date,
): Promise<void> => {
  for (const { key } of runsOf(rows)) await countStart(tx, key, source, now);
};

/** The last thing of a transaction that ends cells, so that the close of a batch is recorded after what its cells came to. */
export const countEndsOf = async (
  tx: Tx,
  rows: readonly Export[],
  countOne: (rows: readonly Export[]) => EndedCells,
  source: 'server' | 'worker',
  now: Date,
): Promise<void> => {
  for (const run of runsOf(rows)) await countEnds(tx, run.key, countOne(run.rows), source, now);
};
