import type { Selectable } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { BundleTable, CompositionTable } from '../../platform/db/schema.ts';
import type { RegisteredComposition } from './register-bundle.ts';

export type Composition = Selectable<CompositionTable> & { registered_at: Date };
export type Bundle = Selectable<BundleTable>;

const select = (db: Reader, organizationId: string) =>
  db
    .selectFrom('composition')
    .innerJoin('bundle', (join) =>
      join
        .onRef('bundle.organization_id', '=', 'composition.organization_id')
        .onRef('bundle.version', '=', 'composition.version'),
    )
    .selectAll('composition')
    .select('bundle.registered_at')
    .where('composition.organization_id', '=', organizationId)
    .orderBy('bundle.registered_at', 'desc');

/** The named version, or the newest one that has it. Throws `composition_not_found`. */
export const getComposition = async (
  db: Reader,
  organizationId: string,
  id: string,
  version: string | undefined,
): Promise<Composition> => {
  let query = select(db, organizationId).where('composition.id', '=', id);
  if (version !== undefined) query = query.where('composition.version', '=', version);
  const row = await query.limit(1).executeTakeFirst();
  if (row) return row;
  const known = [...new Set((await listCompositions(db, organizationId)).map((one) => one.id))];
  throw new RendermillError('composition_not_found', {
    message: `There is no composition "${id}"${version === undefined ? '' : ` in version ${version}`}. ${
      known.length === 0
        ? 'None is registered yet: run `rendermill bundle PATH`.'
        : `Registered: ${known.join(', ')}.`
    }`,
    details: { compositionId: id, ...(version === undefined ? {} : { version }), registered: known },
  });
};

/** Every version of every composition, newest first. */
export const listCompositions = (db: Reader, organizationId: string): Promise<Composition[]> =>
  select(db, organizationId).orderBy('composition.id').execute();

export const getBundle = async (db: Reader, organizationId: string, version: string): Promise<Bundle> => {
  const row = await db
    .selectFrom('bundle')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('version', '=', version)
    .executeTakeFirst();
  if (!row)
    throw new RendermillError('composition_not_found', {
      message: `Version ${version} is no longer registered.`,
    });
  return row;
};

/** A registered version with its compositions; undefined where there is none. */
export const findVersion = async (
  db: Reader,
  organizationId: string,
  version: string,
): Promise<{ compositions: RegisteredComposition[] } | undefined> => {
  const bundle = await db
    .selectFrom('bundle')
    .select('version')
    .where('organization_id', '=', organizationId)
    .where('version', '=', version)
    .executeTakeFirst();
  if (!bundle) return undefined;
  const rows = (await listCompositions(db, organizationId)).filter((row) => row.version === version);
  return {
    compositions: rows.map((row) => ({
      id: row.id,
      width: row.width,
      height: row.height,
      fps: row.fps,
      durationInFrames: row.duration_in_frames,
      hasCalculateMetadata: row.has_calculate_metadata,
      defaultProps: row.default_props,
      propsSchema: row.props_schema,
      schemaNotes: row.schema_notes,
    })),
  };
};
