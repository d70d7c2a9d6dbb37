/** What is asked of the statistics, and what they answer. */
import { z } from 'zod';
import { stillFormats, videoFormats } from '../../core/output.ts';
import { defaultWindowDays, maxWindowDays } from '../../core/statistics-window.ts';
import { tierNames } from '../../core/tiers.ts';

const daySchema = z.iso.date('must be a day that exists, as YYYY-MM-DD');

const windowShape = {
  from: daySchema
    .optional()
    .describe(`First day of the window, YYYY-MM-DD; default: ${defaultWindowDays - 1} days before until`),
  until: daySchema
    .optional()
    .describe(`Last day of the window, itself included; default: today. At most ${maxWindowDays} days`),
};

/** Strict: a misspelt name would quietly mean the default. */
export const windowQuerySchema = z.strictObject(windowShape);

const countSchema = z.int().min(0);
const formatSchema = z.enum([...stillFormats, ...videoFormats]);

const figures = {
  totalExports: countSchema.describe(
    'Accepted that neither failed nor were canceled: as exportCount of a project and the daily limit count',
  ),
  accepted: countSchema.describe('Requested and admitted, whatever became of it'),
  completed: countSchema,
  failed: countSchema,
  canceled: countSchema,
  cached: countSchema.describe('Of the completed: a file that was made before, used again'),
  successRate: z.number().nullable().describe('completed / (completed + failed), 0 to 1; null: neither'),
  totalDurationSeconds: z.number().describe('Seconds of footage of the completed videos'),
  averageDurationSeconds: z.number().nullable().describe('Seconds of footage of a completed video'),
  averageRenderMs: z
    .number()
    .nullable()
    .describe('Milliseconds of rendering of a completed export, cached ones left out'),
  bytes: countSchema.describe('Bytes of the files of the completed, cached ones included'),
};

const dayFiguresSchema = z
  .object({ day: z.iso.date(), ...figures })
  .meta({ id: 'DayFigures', description: 'The exports that were accepted on the day' });

const monthFiguresSchema = z
  .object({ month: z.string().describe('YYYY-MM'), ...figures })
  .meta({ id: 'MonthFigures', description: 'The exports that were accepted in the month' });

const formatFiguresSchema = z
  .object({ format: formatSchema, ...figures })
  .meta({ id: 'FormatFigures', description: 'The exports of one format' });

const windowFigures = {
  from: z.iso.date().describe('First day'),
  until: z.iso.date().describe('Last day, itself included'),
  ...figures,
  days: z
    .array(dayFiguresSchema)
    .describe('Every day of the window in order, zeros where nothing was accepted'),
};

const overall = {
  timeZone: z
    .string()
    .describe('Whose days and hours these are: each export belongs to the day and hour of its acceptance'),
  lastExportAt: z.iso.datetime().nullable().describe('When the newest was accepted'),
  favoriteFormat: formatSchema.nullable().describe('Most accepted of all time; of equals, the first by name'),
  ...figures,
  formats: z.array(formatFiguresSchema).describe('Formats of all time, most accepted first'),
};

export const userStatisticsSchema = z
  .object({
    userId: z.string(),
    tier: z.enum(tierNames),
    limit: z.int().nullable().describe('Exports a day; null: no limit'),
    remaining: z.int().nullable(),
    resetAt: z.iso.datetime(),
    ...overall,
    window: z.object(windowFigures),
  })
  .meta({ id: 'UserStatistics', description: 'Figures of all time, and of each day of the window' });

export const projectStatisticsSchema = z
  .object({
    projectId: z.string(),
    name: z.string().nullable(),
    ...overall,
    window: z.object(windowFigures),
  })
  .meta({ id: 'ProjectStatistics', description: 'Figures of all time, and of each day of the window' });

export const systemStatisticsSchema = z
  .object({
    organizationId: z.string(),
    ...overall,
    months: z.array(monthFiguresSchema).describe('The last 12 months in order, this one included'),
    window: z.object({
      ...windowFigures,
      activeUsers: countSchema.describe('Users with an export that was accepted in the window'),
      activeProjects: countSchema.describe('Projects with one'),
      popularFormats: z.array(formatFiguresSchema).describe('Formats of the window, most accepted first'),
      peakHours: z
        .array(
          z.object({
            hour: z.int().min(0).max(23),
            accepted: countSchema,
            completed: countSchema,
            failed: countSchema,
          }),
        )
        .length(24)
        .describe('Exports by the hour of their acceptance, 0 to 23, over all days of the window'),
      peakDays: z
        .array(z.object({ day: z.iso.date(), accepted: countSchema }))
        .describe('Up to five days on which most were accepted, most first'),
    }),
  })
  .meta({ id: 'SystemStatistics', description: "Figures of the whole organization of the request's key" });
