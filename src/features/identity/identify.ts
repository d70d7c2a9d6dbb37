import { RendermillError } from '../../core/errors.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { identityKey, readIdentityToken } from '../../domain/identity/identity-token.ts';
import { type Linked, linkVisitor } from '../../domain/identity/link-visitor.ts';
import type { Database } from '../../platform/db/client.ts';
import type { IdentifyBody } from './schemas.ts';

const userOf = async (db: Database, who: Principal, body: IdentifyBody, now: Date): Promise<string> => {
  if (who.kind === 'secret') {
    if (body.user_id !== undefined && body.token === undefined) return body.user_id;
    throw new RendermillError('invalid_request', {
      message: 'With a secret key give user_id, and no token: your backend knows who it is.',
    });
  }
  if (body.token === undefined || body.user_id !== undefined) {
    throw new RendermillError('forbidden', {
      message:
        'With a publishable key give a token, and no user_id: anybody could name any user. Your backend gets tokens from POST /api/v1/identity-tokens.',
    });
  }
  const { link_secret } = await getOrganization(db, who.organizationId);
  const { organizationId } = who;
  const given = {
    token: body.token,
    organizationId,
    key: identityKey(link_secret),
    distinctId: body.distinct_id,
  };
  return readIdentityToken(given, now);
};

/** Links the visitor to the user whom the secret key, or the token, names. Throws `visitor_taken`, `identity_token_invalid`. */
export const identify = async (
  db: Database,
  who: Principal,
  body: IdentifyBody,
  now: Date,
): Promise<Linked> => {
  const userId = await userOf(db, who, body, now);
  return db.transaction().execute((tx) =>
    linkVisitor(tx, {
      organizationId: who.organizationId,
      distinctId: body.distinct_id,
      userId,
      method: 'identify',
      at: now,
    }),
  );
};
