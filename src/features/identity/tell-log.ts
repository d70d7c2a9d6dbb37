/** What is asked here goes through the log like everything else: the projector makes it count, and sinks hear of it. */
import { RendermillError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Database } from '../../platform/db/client.ts';
import type { ConsentBody } from './schemas.ts';

/** Returns the event's id. */
export const stateConsent = async (
  db: Database,
  who: Principal,
  body: ConsentBody,
  now: Date,
): Promise<string> => {
  if (who.kind !== 'secret' && body.user_id !== undefined) {
    throw new RendermillError('forbidden', {
      message: 'With a publishable key give a distinct_id: only a secret key may speak for a user.',
    });
  }
  const id = newId(now);
  const person = body.user_id ?? body.distinct_id ?? '';
  const { ads_allowed, analytics_allowed } = body;
  await db.transaction().execute((tx) =>
    emit(tx, {
      id,
      name: 'cookie_consent_updated',
      organizationId: who.organizationId,
      source: who.kind === 'secret' ? 'server' : 'web',
      occurredAt: now,
      ...(body.user_id === undefined ? { distinctId: person } : { userId: person }),
      entity: { type: body.user_id === undefined ? 'visitor' : 'user', id: person },
      properties: {
        ...(ads_allowed === undefined ? {} : { ads_allowed }),
        ...(analytics_allowed === undefined ? {} : { analytics_allowed }),
      },
    }),
  );
  return id;
};

/** Returns the event's id, which is that of the request as well. */
export const askToErase = async (
  db: Database,
  who: { organizationId: string; userId: string },
  now: Date,
): Promise<string> => {
  const id = newId(now);
  await db.transaction().execute((tx) =>
    emit(tx, {
      id,
      name: 'account_deleted',
      organizationId: who.organizationId,
      source: 'server',
      occurredAt: now,
      userId: who.userId,
      entity: { type: 'user', id: who.userId },
      properties: {},
    }),
  );
  return id;
};
