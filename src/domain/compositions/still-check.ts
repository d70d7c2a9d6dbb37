/** Whether many stills of a composition in one page are, byte for byte, what they are in a page each: found out once per version. */
import { sql } from 'kysely';
import type { Database, Reader } from '../../platform/db/client.ts';

export interface CheckedTemplate {
  readonly organizationId: string;
  readonly version: string;
  readonly compositionId: string;
  readonly rendererVersion: string;
}

/** Undefined: not looked at yet. */
export const findStillCheck = async (db: Reader, template: CheckedTemplate): Promise<boolean | undefined> => {
  const row = await db
    .selectFrom('still_check')
    .select('identical')
    .where('organization_id', '=', template.organizationId)
    .where('version', '=', template.version)
    .where('composition_id', '=', template.compositionId)
    .where('renderer_version', '=', template.rendererVersion)
    .executeTakeFirst();
  return row?.identical;
};

/** One difference is enough, whoever found it: a later "identical" does not undo it. */
export const recordStillCheck = async (
  db: Database,
  template: CheckedTemplate,
  identical: boolean,
  now: Date,
): Promise<void> => {
  await db
    .insertInto('still_check')
    .values({
      organization_id: template.organizationId,
      version: template.version,
      composition_id: template.compositionId,
      renderer_version: template.rendererVersion,
      identical,
      checked_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'version', 'composition_id', 'renderer_version']).doUpdateSet({
        identical: sql<boolean>`still_check.identical AND excluded.identical`,
        checked_at: now,
      }),
    )
    .execute();
};

/** Of the newest renderer that looked at each; by version and composition id. */
export const listStillChecks = async (
  db: Reader,
  organizationId: string,
): Promise<ReadonlyMap<string, boolean>> => {
  const rows = await db
    .selectFrom('still_check')
    .select(['version', 'composition_id', 'identical'])
    .where('organization_id', '=', organizationId)
    .orderBy('checked_at')
    .execute();
  return new Map(rows.map((row) => [`${row.version}/${row.composition_id}`, row.identical]));
};

export interface StillsRendering {
  /** Undefined: no worker has looked yet. */
  readonly identical: boolean | undefined;
  /** Of the renderer that looked last at anything of the organization; undefined: none has. */
  readonly rendererVersion: string | undefined;
}

/** By the renderer that looked last: how the stills of a composition are rendered from now on. */
export const lookUpRendering = async (
  db: Reader,
  template: Omit<CheckedTemplate, 'rendererVersion'>,
): Promise<StillsRendering> => {
  const newest = await db
    .selectFrom('still_check')
    .select('renderer_version')
    .where('organization_id', '=', template.organizationId)
    .orderBy('checked_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rendererVersion = newest?.renderer_version;
  return {
    rendererVersion,
    identical:
      rendererVersion === undefined ? undefined : await findStillCheck(db, { ...template, rendererVersion }),
  };
};
