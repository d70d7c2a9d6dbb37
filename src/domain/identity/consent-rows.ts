/** Consent as it is kept. Only the projector writes it, in the order of the log. */
import { type SqlBool, sql } from 'kysely';
import type { Consent } from '../../core/delivery/sink-event.ts';
import {
  type ConsentStatement,
  consentOf,
  newerConsent,
  nothingStated,
} from '../../core/identity/consent.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { PersonKind } from '../../platform/db/schema-events.ts';

export interface Person {
  readonly organizationId: string;
  readonly kind: PersonKind;
  readonly id: string;
}

/** By it a person's statement is found. */
export const personKey = ({ organizationId, kind, id }: Person): string => `${organizationId}/${kind}/${id}`;

interface ConsentRow {
  readonly organization_id: string;
  readonly person_kind: PersonKind;
  readonly person_id: string;
  readonly ads_allowed: boolean | null;
  readonly ads_stated_at: Date | null;
  readonly analytics_allowed: boolean | null;
  readonly analytics_stated_at: Date | null;
}

const answer = (allowed: boolean | null, statedAt: Date | null) =>
  allowed === null || statedAt === null ? null : { allowed, statedAt };

const toStatement = (row: ConsentRow): ConsentStatement => ({
  ads: answer(row.ads_allowed, row.ads_stated_at),
  analytics: answer(row.analytics_allowed, row.analytics_stated_at),
});

const toRow = ({ organizationId, kind, id }: Person, { ads, analytics }: ConsentStatement): ConsentRow => ({
  organization_id: organizationId,
  person_kind: kind,
  person_id: id,
  ads_allowed: ads?.allowed ?? null,
  ads_stated_at: ads?.statedAt ?? null,
  analytics_allowed: analytics?.allowed ?? null,
  analytics_stated_at: analytics?.statedAt ?? null,
});

const isAmong = (people: readonly Person[]) => sql<SqlBool>`
  (organization_id, person_kind, person_id) IN (SELECT * FROM unnest(
    ${people.map((one) => one.organizationId)}::text[], ${people.map((one) => one.kind)}::text[], ${people.map((one) => one.id)}::text[]))`;

/** Of those who have ever said something, by `personKey`. */
export const readStatements = async (
  db: Reader,
  people: readonly Person[],
): Promise<Map<string, ConsentStatement>> => {
  if (people.length === 0) return new Map();
  const rows = await db.selectFrom('person_consent').selectAll().where(isAmong(people)).execute();
  return new Map(
    rows.map((row) => [
      personKey({ organizationId: row.organization_id, kind: row.person_kind, id: row.person_id }),
      toStatement(row),
    ]),
  );
};

export const writeStatements = async (
  tx: Tx,
  statements: readonly (readonly [Person, ConsentStatement])[],
): Promise<void> => {
  if (statements.length === 0) return;
  const rows = statements.map(([person, statement]) => toRow(person, statement));
  await sql`
    INSERT INTO person_consent (organization_id, person_kind, person_id, ads_allowed, ads_stated_at, analytics_allowed, analytics_stated_at)
    SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row (
      organization_id text, person_kind text, person_id text, ads_allowed boolean, ads_stated_at timestamptz,
      analytics_allowed boolean, analytics_stated_at timestamptz)
    ON CONFLICT (organization_id, person_kind, person_id) DO UPDATE SET
      ads_allowed = excluded.ads_allowed, ads_stated_at = excluded.ads_stated_at,
      analytics_allowed = excluded.analytics_allowed, analytics_stated_at = excluded.analytics_stated_at`.execute(
    tx,
  );
};

/** A person as an event names it. */
export interface NamedPerson {
  readonly organizationId: string;
  readonly userId: string | null;
  readonly distinctId: string | null;
}

const partsOf = ({ organizationId, userId, distinctId }: NamedPerson): Person[] => [
  ...(userId === null ? [] : [{ organizationId, kind: 'user' as const, id: userId }]),
  ...(distinctId === null ? [] : [{ organizationId, kind: 'visitor' as const, id: distinctId }]),
];

/** The newest that a person has said, as user or as visitor, at the same index. `userId` is the resolved one, of a linked visitor its user. */
export const readConsents = async (db: Reader, people: readonly NamedPerson[]): Promise<Consent[]> => {
  const statements = await readStatements(db, people.flatMap(partsOf));
  return people.map((person) =>
    consentOf(
      partsOf(person)
        .map((part) => statements.get(personKey(part)) ?? nothingStated)
        .reduce(newerConsent, nothingStated),
    ),
  );
};

/** Of a person that is to be forgotten: what it allowed is void at once; what it refused holds until `forgetConsent`. */
export const voidPermissions = async (tx: Tx, people: readonly Person[]): Promise<void> => {
  if (people.length === 0) return;
  await tx
    .updateTable('person_consent')
    .set({
      ads_stated_at: sql<Date | null>`CASE WHEN ads_allowed THEN NULL ELSE ads_stated_at END`,
      ads_allowed: sql<boolean | null>`CASE WHEN ads_allowed THEN NULL ELSE ads_allowed END`,
      analytics_stated_at: sql<Date | null>`CASE WHEN analytics_allowed THEN NULL ELSE analytics_stated_at END`,
      analytics_allowed: sql<
        boolean | null
      >`CASE WHEN analytics_allowed THEN NULL ELSE analytics_allowed END`,
    })
    .where(isAmong(people))
    .execute();
};

/** What was stated until then is gone; what a new person of the same id has stated since stays. */
export const forgetConsent = async (tx: Tx, people: readonly Person[], until: Date): Promise<void> => {
  if (people.length === 0) return;
  await sql`
    UPDATE person_consent SET
      ads_allowed = CASE WHEN ads_stated_at <= ${until}::timestamptz THEN NULL ELSE ads_allowed END,
      ads_stated_at = CASE WHEN ads_stated_at <= ${until}::timestamptz THEN NULL ELSE ads_stated_at END,
      analytics_allowed = CASE WHEN analytics_stated_at <= ${until}::timestamptz THEN NULL ELSE analytics_allowed END,
      analytics_stated_at = CASE WHEN analytics_stated_at <= ${until}::timestamptz THEN NULL ELSE analytics_stated_at END
    WHERE ${isAmong(people)}`.execute(tx);
  await tx
    .deleteFrom('person_consent')
    .where(isAmong(people))
    .where('ads_allowed', 'is', null)
    .where('analytics_allowed', 'is', null)
    .execute();
};
