/** The statistics beside a scan of the exports themselves: equal at every moment, or they lie. */
import { expect } from 'vitest';
import { type StatSums, statMeasures } from '../../../src/core/statistics-sums.ts';
import { foldDeltas } from '../../../src/domain/statistics/fold-deltas.ts';
import { countActive, readHours } from '../../../src/domain/statistics/read-activity.ts';
import {
  inSnapshot,
  readMonths,
  readTotals,
  readWindow,
  type StatKey,
} from '../../../src/domain/statistics/read-sums.ts';
import type { Database, Reader } from '../../../src/platform/db/client.ts';
import { countRows } from '../../support/factories.ts';
import { scanExports, sumBy } from './scan.ts';

/** Days, both included. */
export interface Window {
  readonly from: string;
  readonly until: string;
}

export const everything: Window = { from: '2025-01-01', until: '2027-12-31' };

const sumsOf = (row: StatSums): StatSums =>
  Object.fromEntries(statMeasures.map((name) => [name, row[name]])) as StatSums;
const byKey = (entries: readonly (readonly [string, StatSums])[]) =>
  Object.fromEntries(entries.map(([key, row]) => [key, sumsOf(row)]));
export const byFormat = (rows: readonly (StatSums & { format: string })[]) =>
  byKey(rows.map((row) => [row.format, row]));

/** What is read for a scope, and what a scan of the exports says of the same snapshot; equal, or the statistics lie. */
export const readBoth = (db: Database, key: StatKey, window: Window = everything) =>
  inSnapshot(db, async (tx) => {
    const column = key.scope === 'user' ? 'user_id' : 'project_id';
    const scanned = (await scanExports(tx, key.organizationId)).filter(
      (row) => key.scope === 'organization' || row[column] === key.scopeId,
    );
    const inside = scanned.filter((row) => row.day >= window.from && row.day <= window.until);
    const totals = await readTotals(tx, key);
    const read = await readWindow(tx, key, window);
    return {
      statistics: {
        formats: byFormat(totals.formats),
        days: byKey([...read.days]),
        windowFormats: byFormat(read.formats),
        lastExportAt: totals.lastExportAt,
        ...(await activity(tx, key, window)),
      },
      scan: {
        formats: sumBy(scanned, (row) => row.format),
        days: sumBy(inside, (row) => row.day),
        windowFormats: sumBy(inside, (row) => row.format),
        lastExportAt: newest(scanned.map((row) => row.last_export_at)),
        ...(key.scope !== 'organization'
          ? {}
          : {
              months: sumBy(
                scanned.filter((row) => row.day >= monthOf(window.from)),
                (row) => monthOf(row.day),
              ),
              hours: Object.fromEntries(
                Object.entries(sumBy(inside, (row) => String(row.hour))).map(([hour, row]) => [
                  hour,
                  [row.accepted, row.completed, row.failed],
                ]),
              ),
              users: new Set(inside.map((row) => row.user_id)).size,
              projects: new Set(inside.map((row) => row.project_id)).size,
            }),
      },
    };
  });

const monthOf = (day: string): string => `${day.slice(0, 7)}-01`;

const newest = (dates: readonly Date[]): Date | null =>
  dates.length === 0 ? null : new Date(Math.max(...dates.map((date) => date.getTime())));

const activity = async (tx: Reader, key: StatKey, window: Window) => {
  if (key.scope !== 'organization') return {};
  const perHour = await readHours(tx, key.organizationId, window);
  const months = await readMonths(tx, key.organizationId, monthOf(window.from));
  return {
    months: byKey([...months]),
    hours: Object.fromEntries(
      perHour.map((row) => [String(row.hour), [row.accepted, row.completed, row.failed]]),
    ),
    users: await countActive(tx, key.organizationId, 'user', window),
    projects: await countActive(tx, key.organizationId, 'project', window),
  };
};

export const expectExact = async (db: Database, key: StatKey, window?: Window): Promise<void> => {
  const both = await readBoth(db, key, window);
  expect(both.statistics).toEqual(both.scan);
};

/** For the organization, and for each of its users and projects. */
export const expectAllExact = async (
  db: Database,
  organizationId: string,
  window?: Window,
): Promise<void> => {
  await expectExact(db, { organizationId, scope: 'organization', scopeId: '' }, window);
  const { users, projects } = await inSnapshot(db, async (tx) => {
    const rows = await scanExports(tx, organizationId);
    return {
      users: new Set(rows.map((row) => row.user_id)),
      projects: new Set(rows.map((row) => row.project_id)),
    };
  });
  for (const scopeId of users) await expectExact(db, { organizationId, scope: 'user', scopeId }, window);
  for (const scopeId of projects)
    await expectExact(db, { organizationId, scope: 'project', scopeId }, window);
};

export const pendingOf = (db: Database, organizationId: string) =>
  countRows(db, 'export_stat_delta', organizationId);

/** Until nothing of this organization is left, whoever else folds. */
export const foldAll = async (db: Database, organizationId: string): Promise<void> => {
  while ((await pendingOf(db, organizationId)) > 0) await foldDeltas(db);
};
