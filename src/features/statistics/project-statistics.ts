import type { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { planWindow } from '../../core/statistics-window.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { findProject } from '../../domain/accounts/projects.ts';
import { inSnapshot } from '../../domain/statistics/read-sums.ts';
import { readToday } from '../../domain/statistics/read-today.ts';
import type { Database } from '../../platform/db/client.ts';
import { readOverall } from './read-overall.ts';
import type { projectStatisticsSchema, windowQuerySchema } from './schemas.ts';

/** Throws `not_found`, and `invalid_request` for a window that cannot be meant. */
export const projectStatistics = async (
  db: Database,
  given: { readonly organizationId: string; readonly projectId: string },
  asked: z.infer<typeof windowQuerySchema>,
  now: Date,
): Promise<z.input<typeof projectStatisticsSchema>> => {
  const { organizationId, projectId } = given;
  const project = await findProject(db, given);
  if (!project) throw new RendermillError('not_found', { message: `There is no project "${projectId}".` });
  const { time_zone: timeZone } = await getOrganization(db, organizationId);
  const window = planWindow(asked, await readToday(db, timeZone, now));
  const read = await inSnapshot(db, (tx) =>
    readOverall(tx, { organizationId, scope: 'project', scopeId: projectId }, window),
  );
  return { projectId, name: project.name, timeZone, ...read.overall, window: read.window };
};
