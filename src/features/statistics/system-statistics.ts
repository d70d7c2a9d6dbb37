import type { z } from 'zod';
import { figuresOf, noSums, type StatFigures } from '../../core/statistics-sums.ts';
import { monthsUntil, planWindow } from '../../core/statistics-window.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { countActive, type HourSums, readHours } from '../../domain/statistics/read-activity.ts';
import { inSnapshot, readMonths } from '../../domain/statistics/read-sums.ts';
import { readToday } from '../../domain/statistics/read-today.ts';
import type { Database } from '../../platform/db/client.ts';
import { readOverall } from './read-overall.ts';
import type { systemStatisticsSchema, windowQuerySchema } from './schemas.ts';

const monthsShown = 12;
const peakDaysShown = 5;

/** Of the whole organization, and of no other. Throws `invalid_request` for a window that cannot be meant. */
export const systemStatistics = async (
  db: Database,
  organizationId: string,
  asked: z.infer<typeof windowQuerySchema>,
  now: Date,
): Promise<z.input<typeof systemStatisticsSchema>> => {
  const { time_zone: timeZone } = await getOrganization(db, organizationId);
  const today = await readToday(db, timeZone, now);
  const window = planWindow(asked, today);
  const months = monthsUntil(today, monthsShown);
  return inSnapshot(db, async (tx) => {
    const read = await readOverall(tx, { organizationId, scope: 'organization', scopeId: '' }, window);
    const byMonth = await readMonths(tx, organizationId, months[0] ?? today);
    return {
      organizationId,
      timeZone,
      ...read.overall,
      months: months.map((first) => ({
        month: first.slice(0, 7),
        ...figuresOf(byMonth.get(first) ?? noSums),
      })),
      window: {
        ...read.window,
        activeUsers: await countActive(tx, organizationId, 'user', window),
        activeProjects: await countActive(tx, organizationId, 'project', window),
        popularFormats: read.popularFormats,
        peakHours: everyHour(await readHours(tx, organizationId, window)),
        peakDays: peakDays(read.window.days),
      },
    };
  });
};

const everyHour = (rows: readonly HourSums[]): HourSums[] => {
  const byHour = new Map(rows.map((row) => [row.hour, row]));
  return Array.from(
    { length: 24 },
    (_, hour) => byHour.get(hour) ?? { hour, accepted: 0, completed: 0, failed: 0 },
  );
};

/** Of equals, the earlier day: sorting is stable. */
const peakDays = (days: readonly (StatFigures & { readonly day: string })[]) =>
  days
    .filter((one) => one.accepted > 0)
    .toSorted((a, b) => b.accepted - a.accepted)
    .slice(0, peakDaysShown)
    .map(({ day, accepted }) => ({ day, accepted }));
