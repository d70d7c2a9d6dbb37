/** Events of an organization's own, by name and version. What a version's schema says never changes. */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { destructiveChanges } from '../../core/events/additive.ts';
import { resolveEventName } from '../../core/events/catalog.ts';
import type { EventSource, RetentionClass } from '../../core/events/define-event.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { OwnDefinition } from './own-definition.ts';
import { assertUsableSchema } from './own-schema.ts';

export const maxDefinitions = 500;
export const maxVersions = 100;

/** As the table's own check. */
const ownNamePattern = /^[a-z][a-z0-9_]{0,99}$/;

export interface NewDefinition {
  readonly organizationId: string;
  readonly name: string;
  readonly description: string;
  readonly sources: readonly EventSource[];
  readonly retention: RetentionClass;
  /** JSON Schema of the properties. */
  readonly properties: Record<string, unknown>;
}

const lockDefinitions = async (tx: Tx, organizationId: string): Promise<void> => {
  await sql`SELECT pg_advisory_xact_lock(hashtext('rendermill:event-definitions'), hashtext(${organizationId}))`.execute(
    tx,
  );
};

const assertOwnName = (name: string): void => {
  if (!ownNamePattern.test(name)) {
    throw new RendermillError('invalid_request', {
      message: `"${name}" cannot be the name of an event of your own: lower-case letters, digits and _, 1-100 characters, beginning with a letter.`,
    });
  }
  const ours = resolveEventName(name);
  if (ours === undefined) return;
  throw new RendermillError('event_name_taken', {
    message: `"${name}" is ${ours === name ? 'an event' : `an alias of ${ours}`} of the catalog: send it as it is, or choose another name.`,
  });
};

/** All versions of one, the newest first; none: there is no such event. */
export const findDefinition = async (
  db: Reader,
  organizationId: string,
  name: string,
): Promise<OwnDefinition[]> => {
  if (!ownNamePattern.test(name)) return [];
  return db
    .selectFrom('event_definition')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .orderBy('schema_version', 'desc')
    .execute();
};

/** The newest version of each. */
export const listDefinitions = (db: Reader, organizationId: string): Promise<OwnDefinition[]> =>
  db
    .selectFrom('event_definition')
    .selectAll()
    .distinctOn('name')
    .where('organization_id', '=', organizationId)
    .orderBy('name')
    .orderBy('schema_version', 'desc')
    .execute();

/** Of these names: the newest version, and those of the versions that are there. */
export const readDefinitions = async (
  db: Reader,
  organizationId: string,
  wanted: { names: readonly string[]; versions: readonly number[] },
): Promise<OwnDefinition[]> => {
  if (wanted.names.length === 0) return [];
  const { rows } = await sql<OwnDefinition>`
    SELECT * FROM event_definition AS one
    WHERE organization_id = ${organizationId} AND name = ANY(${wanted.names}) AND (
      schema_version = ANY(${wanted.versions}) OR schema_version = (
        SELECT max(schema_version) FROM event_definition AS newest
        WHERE newest.organization_id = one.organization_id AND newest.name = one.name))`.execute(db);
  return rows;
};

const assertRoom = async (tx: Tx, organizationId: string): Promise<void> => {
  const { count } = await tx
    .selectFrom('event_definition')
    .select((select) => select.fn.count<number>('name').distinct().as('count'))
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();
  if (count < maxDefinitions) return;
  throw new RendermillError('event_definitions_full', {
    message: `The organization has defined ${count} events, and ${maxDefinitions} are the most. Events that are not defined can still be sent where the setting unknownEvents is "mark".`,
  });
};

const assertAdditive = (newest: OwnDefinition, given: NewDefinition): void => {
  const reasons = destructiveChanges(newest.properties, given.properties);
  if (reasons.length > 0) {
    throw new RendermillError('event_schema_destructive', {
      message: `Version ${newest.schema_version + 1} of "${given.name}" may only add to version ${newest.schema_version}: ${reasons.slice(0, 10).join('; ')}. Keep these as they are, or take another name.`,
      details: { reasons: reasons.slice(0, 100) },
    });
  }
  if (newest.schema_version < maxVersions) return;
  throw new RendermillError('event_definitions_full', {
    message: `"${given.name}" has ${maxVersions} versions, which are the most. Take another name.`,
  });
};

const columnsOf = (given: NewDefinition) => ({
  description: given.description,
  sources: [...given.sources],
  retention_class: given.retention,
});

const insertVersion = (tx: Tx, given: NewDefinition, version: number, now: Date): Promise<OwnDefinition> =>
  tx
    .insertInto('event_definition')
    .values({
      organization_id: given.organizationId,
      name: given.name,
      schema_version: version,
      ...columnsOf(given),
      properties: JSON.stringify(given.properties),
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();

/** What is no part of the schema belongs to the event, and changes without a version. */
const changeInPlace = (tx: Tx, given: NewDefinition, version: number): Promise<OwnDefinition> =>
  tx
    .updateTable('event_definition')
    .set(columnsOf(given))
    .where('organization_id', '=', given.organizationId)
    .where('name', '=', given.name)
    .where('schema_version', '=', version)
    .returningAll()
    .executeTakeFirstOrThrow();

/**
 * Defines an event, or gives it its next version; the same schema again makes none. Concurrent calls of an organization wait for
 * each other. Throws `invalid_request` or `event_name_taken` for the name, `event_schema_invalid`, `event_schema_destructive`,
 * `event_definitions_full`.
 */
export const putDefinition = async (tx: Tx, given: NewDefinition, now: Date): Promise<OwnDefinition> => {
  assertOwnName(given.name);
  assertUsableSchema(given.properties);
  await lockDefinitions(tx, given.organizationId);
  const [newest] = await findDefinition(tx, given.organizationId, given.name);
  if (!newest) {
    await assertRoom(tx, given.organizationId);
    return insertVersion(tx, given, 1, now);
  }
  if (isDeepStrictEqual(newest.properties, given.properties)) {
    return changeInPlace(tx, given, newest.schema_version);
  }
  assertAdditive(newest, given);
  return insertVersion(tx, given, newest.schema_version + 1, now);
};

/**
 * Deletes an event of the organization's own, with all its versions. What the log has of it stays as it is; what comes later is unknown,
 * and the name may be defined anew, from version 1. Returns how many versions there were. Throws `not_found`, and `invalid_request` for
 * one of the catalog.
 */
export const deleteDefinition = async (tx: Tx, organizationId: string, name: string): Promise<number> => {
  const ours = resolveEventName(name);
  if (ours !== undefined) {
    throw new RendermillError('invalid_request', {
      message: `"${name}" is an event of the catalog, which cannot be deleted; only those that the organization has defined can.`,
    });
  }
  await lockDefinitions(tx, organizationId);
  const { numDeletedRows } = await tx
    .deleteFrom('event_definition')
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (numDeletedRows > 0n) return Number(numDeletedRows);
  throw new RendermillError('not_found', { message: `The organization has not defined an event "${name}".` });
};
