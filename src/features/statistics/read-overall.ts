/** The part of the answer that a user, a project and the whole organization have in common. */
import type { OutputFormat } from '../../core/output.ts';
import { addSums, figuresOf, noSums, type StatFigures } from '../../core/statistics-sums.ts';
import { daysIn, type StatWindow } from '../../core/statistics-window.ts';
import { type FormatSums, readTotals, readWindow, type StatKey } from '../../domain/statistics/read-sums.ts';
import type { Tx } from '../../platform/db/client.ts';

interface FormatFigures extends StatFigures {
  readonly format: OutputFormat;
}

/** Most accepted first; of equals, the first by name. */
const byPopularity = (rows: readonly FormatSums[]): FormatFigures[] =>
  rows
    .toSorted((a, b) => b.accepted - a.accepted || (a.format < b.format ? -1 : 1))
    .map((row) => ({ format: row.format, ...figuresOf(row) }));

/** In a transaction of one snapshot, so that the parts agree. */
export const readOverall = async (tx: Tx, key: StatKey, window: StatWindow) => {
  const totals = await readTotals(tx, key);
  const inWindow = await readWindow(tx, key, window);
  const formats = byPopularity(totals.formats);
  return {
    overall: {
      lastExportAt: totals.lastExportAt?.toISOString() ?? null,
      favoriteFormat: formats[0]?.format ?? null,
      ...figuresOf(addSums(totals.formats)),
      formats,
    },
    window: {
      ...window,
      ...figuresOf(addSums(inWindow.formats)),
      days: daysIn(window).map((day) => ({ day, ...figuresOf(inWindow.days.get(day) ?? noSums) })),
    },
    popularFormats: byPopularity(inWindow.formats),
  };
};
