import { randomBytes } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { modesOf, type OrganizationModes, type RenderModes } from '../../core/choose-render-mode.ts';
import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import { type Tier, type TierName, type TierOverrides, tierOf } from '../../core/tiers.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { OrganizationTable } from '../../platform/db/schema.ts';

export type Organization = Selectable<OrganizationTable>;

const linkSecretBytes = 32;

/** Names only: Postgres reads an offset as POSIX does, with the opposite sign. */
const isTimeZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return /^[A-Za-z]/.test(timeZone);
  } catch {
    return false;
  }
};

export const assertTimeZone = (timeZone: string): void => {
  if (!isTimeZone(timeZone)) {
    throw new RendermillError('invalid_request', {
      message: `"${timeZone}" is not a time zone; give an IANA name such as Europe/Berlin.`,
    });
  }
};

/** As the table's own check; it stands in paths of files, too. */
const idPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const assertOrganizationId = (id: string): void => {
  if (idPattern.test(id)) return;
  throw new RendermillError('invalid_request', {
    message: `"${id}" cannot be the id of an organization: lower-case letters, digits, - and _, 1-63 characters, beginning with a letter or digit.`,
  });
};

/** Makes it at first sight (then true); an existing one keeps what it has. Throws `invalid_request` for an id that none can have. */
export const ensureOrganization = async (
  tx: Tx,
  given: { id: string; name?: string; timeZone?: string },
): Promise<boolean> => {
  assertOrganizationId(given.id);
  if (given.timeZone !== undefined) assertTimeZone(given.timeZone);
  const inserted = await tx
    .insertInto('organization')
    .values({
      id: given.id,
      name: given.name ?? given.id,
      ...(given.timeZone === undefined ? {} : { time_zone: given.timeZone }),
      link_secret: randomBytes(linkSecretBytes),
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
};

/** Changes what is given. Throws `invalid_request` for a time zone that does not exist. */
export const changeOrganization = (
  tx: Tx,
  id: string,
  change: {
    name?: string | undefined;
    timeZone?: string | undefined;
    tiers?: TierOverrides | undefined;
    unknownEvents?: Organization['unknown_events'] | undefined;
  },
): Promise<Organization> => {
  if (change.timeZone !== undefined) assertTimeZone(change.timeZone);
  return tx
    .updateTable('organization')
    .set({
      id,
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.timeZone === undefined ? {} : { time_zone: change.timeZone }),
      ...(change.tiers === undefined ? {} : { tier_overrides: JSON.stringify(change.tiers) }),
      ...(change.unknownEvents === undefined ? {} : { unknown_events: change.unknownEvents }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
};

/** Grants a mode, or takes it away; what was accepted before is rendered where it was accepted for. Throws `not_found`. */
export const decideRenderMode = async (
  tx: Tx,
  id: string,
  mode: RenderMode,
  allowed: boolean,
): Promise<Organization> => {
  await getOrganization(tx, id);
  return tx
    .updateTable('organization')
    .set({ render_modes: sql<string>`render_modes || ${JSON.stringify({ [mode]: allowed })}::jsonb` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
};

/** Which modes it may use on this installation. */
export const renderModesOf = async (
  db: Reader,
  organizationId: string,
  installation: RenderModes,
): Promise<OrganizationModes> => {
  const { render_modes: grants } = await getOrganization(db, organizationId);
  return modesOf(organizationId, installation, grants);
};

export const listOrganizations = (db: Reader): Promise<Organization[]> =>
  db.selectFrom('organization').selectAll().orderBy('id').execute();

export const getOrganization = async (db: Reader, id: string): Promise<Organization> => {
  const row = await db.selectFrom('organization').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new RendermillError('not_found', { message: `There is no organization "${id}".` });
  return row;
};

export const tierIn = (organization: Organization, name: TierName): Tier =>
  tierOf(name, organization.tier_overrides);
