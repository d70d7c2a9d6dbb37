/**
 * Tokens with which a tenant's backend tells a browser's publishable key who its visitor is: JWT (RFC 7519) with HS256 and a key of the
 * organization's own, so that one organization's tokens are noise to every other.
 */
import { hkdfSync } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { RendermillError } from '../../core/errors.ts';
import { personIdSchema } from '../../core/identity/person-id.ts';

/** In `aud`: a token of the tenant for another purpose is none for this one. */
export const identityAudience = 'rendermill:identify';
export const maxTokenSeconds = 24 * 3600;
export const defaultTokenSeconds = 3600;
export const maxTokenLength = 4_096;

const keyBytes = 32;
/** A backend's clock may go ahead by this much, seconds. */
const clockSkewSeconds = 60;

/** 256 bits by HKDF (RFC 5869) from the organization's secret: whoever knows them learns nothing of what signs links. */
export const identityKey = (linkSecret: Buffer): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', linkSecret, '', identityAudience, keyBytes));

export interface IdentityClaims {
  readonly userId: string;
  /** Absent: the token is good for any visitor. */
  readonly distinctId?: string | undefined;
}

const unixSeconds = (time: Date): number => Math.floor(time.getTime() / 1000);

export const signIdentityToken = async (
  given: IdentityClaims & { organizationId: string; key: Uint8Array; seconds: number },
  now: Date,
): Promise<{ token: string; expiresAt: Date }> => {
  const expires = unixSeconds(now) + given.seconds;
  const claims = { org: given.organizationId, ...(given.distinctId && { distinct_id: given.distinctId }) };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(given.userId)
    .setAudience(identityAudience)
    .setIssuedAt(unixSeconds(now))
    .setExpirationTime(expires)
    .sign(given.key);
  return { token, expiresAt: new Date(expires * 1000) };
};

const refuse = (message: string): RendermillError =>
  new RendermillError('identity_token_invalid', { message: `The identity token is not valid: ${message}` });

/** What may be said to whoever holds the token; of a wrong signature nothing more is told. */
const reasonOf = (error: unknown): string => {
  if (error instanceof errors.JWTExpired) return 'it has expired. Get a new one from your backend.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `its claim "${error.claim}" is missing, or not what it must be.`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it must be signed with HS256.';
  return 'its signature is not that of this organization.';
};

const verify = async (token: string, key: Uint8Array, now: Date) => {
  try {
    const verified = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      audience: identityAudience,
      requiredClaims: ['sub', 'exp'],
      currentDate: now,
      clockTolerance: 0,
    });
    return verified.payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refuse(reasonOf(error));
    throw error;
  }
};

/** The user whom the token names for this visitor. Throws `identity_token_invalid`. */
export const readIdentityToken = async (
  given: { token: string; organizationId: string; key: Uint8Array; distinctId: string },
  now: Date,
): Promise<string> => {
  const claims = await verify(given.token, given.key, now);
  if ((claims.exp ?? 0) > unixSeconds(now) + maxTokenSeconds + clockSkewSeconds) {
    throw refuse('it is valid for longer than 24 hours.');
  }
  if (claims.org !== undefined && claims.org !== given.organizationId) {
    throw refuse('it is for another organization.');
  }
  if (claims.distinct_id !== undefined && claims.distinct_id !== given.distinctId) {
    throw refuse('it is for another distinct_id.');
  }
  const user = personIdSchema.safeParse(claims.sub);
  if (!user.success) throw refuse('its claim "sub" must be the id of the user.');
  return user.data;
};
