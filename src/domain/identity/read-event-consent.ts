import type { Consent } from '../../core/delivery/sink-event.ts';
import type { Reader } from '../../platform/db/client.ts';
import { type NamedPerson, readConsents } from './consent-rows.ts';

/** What the person of an event allows now, as its sinks are told: an event of a linked visitor is its user's. */
export const readEventConsent = async (db: Reader, event: NamedPerson): Promise<Consent> => {
  const link =
    event.userId !== null || event.distinctId === null
      ? undefined
      : await db
          .selectFrom('identity_link')
          .select('user_id')
          .where('organization_id', '=', event.organizationId)
          .where('distinct_id', '=', event.distinctId)
          .executeTakeFirst();
  const [consent] = await readConsents(db, [{ ...event, userId: event.userId ?? link?.user_id ?? null }]);
  return consent ?? { adsAllowed: null, analyticsAllowed: null };
};
