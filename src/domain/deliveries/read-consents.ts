/** What the people of some events allow now. */
import { sql } from 'kysely';
import type { Consent } from '../../core/delivery/sink-event.ts';
import type { RecordedEvent } from '../../core/events/recorded-event.ts';
import { type Database, prepared } from '../../platform/db/client.ts';

type Person = Pick<RecordedEvent, 'organizationId' | 'userId' | 'distinctId'>;

export type Consents = ReadonlyMap<string, Consent>;

const unstated: Consent = { adsAllowed: null, analyticsAllowed: null };

/** No text that Postgres keeps has a NUL in it. */
const keyOf = ({ organizationId, userId, distinctId }: Person): string =>
  `${organizationId}\0${userId ?? ''}\0${distinctId ?? ''}`;

/** The newest word of the user, whom the visitor may turn out to be, and of the visitor; each person is looked up once. */
export const readConsents = async (db: Database, events: readonly Person[]): Promise<Consents> => {
  const people = new Map(events.map((event) => [keyOf(event), event]));
  if (people.size === 0) return new Map();
  const keys = [...people.keys()];
  const given = [...people.values()];
  const { rows } = await sql<Consent & { n: number }>`${prepared}
    SELECT given.n - 1 AS n, said.ads_allowed AS "adsAllowed", said.analytics_allowed AS "analyticsAllowed"
    FROM unnest(${given.map((one) => one.organizationId)}::text[], ${given.map((one) => one.userId)}::text[],
      ${given.map((one) => one.distinctId)}::text[]) WITH ORDINALITY AS given (organization_id, user_id, distinct_id, n)
    LEFT JOIN identity_link link ON link.organization_id = given.organization_id AND link.distinct_id = given.distinct_id
    CROSS JOIN LATERAL (
      SELECT count(*) AS words, (array_agg(ads_allowed ORDER BY ads_stated_at DESC NULLS LAST))[1] AS ads_allowed,
        (array_agg(analytics_allowed ORDER BY analytics_stated_at DESC NULLS LAST))[1] AS analytics_allowed
      FROM person_consent c WHERE c.organization_id = given.organization_id
        AND (c.person_kind, c.person_id) IN (('user', coalesce(given.user_id, link.user_id)), ('visitor', given.distinct_id))
    ) said WHERE said.words > 0`.execute(db);
  return new Map(
    rows.map(({ n, adsAllowed, analyticsAllowed }) => [keys[n] ?? '', { adsAllowed, analyticsAllowed }]),
  );
};

export const consentOf = (consents: Consents, event: Person): Consent =>
  consents.get(keyOf(event)) ?? unstated;
