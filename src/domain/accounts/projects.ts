import { type Selectable, sql } from 'kysely';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { ProjectTable } from '../../platform/db/schema.ts';

export type Project = Selectable<ProjectTable>;

interface ProjectKey {
  readonly organizationId: string;
  readonly projectId: string;
}

/** First sight creates a project. The last acceptance stays even when the export later fails. */
export const countExports = async (
  tx: Tx,
  project: ProjectKey,
  exports: number,
  now: Date,
): Promise<void> => {
  await tx
    .insertInto('project')
    .values({
      organization_id: project.organizationId,
      id: project.projectId,
      name: null,
      export_count: exports,
      last_export_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'id']).doUpdateSet({
        export_count: sql<number>`project.export_count + ${exports}`,
        last_export_at: now,
        updated_at: now,
      }),
    )
    .execute();
};

export const uncountExports = async (
  tx: Tx,
  project: ProjectKey,
  exports: number,
  now: Date,
): Promise<void> => {
  await tx
    .updateTable('project')
    .set({ export_count: sql<number>`export_count - ${exports}`, updated_at: now })
    .where('organization_id', '=', project.organizationId)
    .where('id', '=', project.projectId)
    .execute();
};

export const nameProject = (tx: Tx, project: ProjectKey, name: string, now: Date): Promise<Project> =>
  tx
    .insertInto('project')
    .values({ organization_id: project.organizationId, id: project.projectId, name, last_export_at: null })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'id']).doUpdateSet({ name, updated_at: now }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();

export const findProject = (db: Reader, project: ProjectKey): Promise<Project | undefined> =>
  db
    .selectFrom('project')
    .selectAll()
    .where('organization_id', '=', project.organizationId)
    .where('id', '=', project.projectId)
    .executeTakeFirst();
