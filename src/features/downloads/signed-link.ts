/** Links that a tenant hands to a browser: one file, until a time, signed with the organization's own secret. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';

export const maxLinkSeconds = 7 * 24 * 3600;
export const defaultLinkSeconds = 3600;

export interface SignedLink {
  readonly fileId: string;
  /** Unix seconds. */
  readonly expires: number;
  /** base64url of HMAC-SHA256. */
  readonly signature: string;
}

/** 256 bits in base64url. */
const signaturePattern = /^[A-Za-z0-9_-]{43}$/;

const sign = (secret: Buffer, fileId: string, expires: number): Buffer =>
  createHmac('sha256', secret).update(`download\n${fileId}\n${expires}`).digest();

export const createSignedLink = (secret: Buffer, fileId: string, expiresAt: Date): SignedLink => {
  const expires = Math.floor(expiresAt.getTime() / 1000);
  return { fileId, expires, signature: sign(secret, fileId, expires).toString('base64url') };
};

/** Throws `link_invalid`, which does not say which of the two it was. */
export const verifySignedLink = (secret: Buffer, link: SignedLink, now: Date): void => {
  // One spelling only: a decoder that forgives would make many links of one.
  const given = Buffer.from(signaturePattern.test(link.signature) ? link.signature : '', 'base64url');
  const expected = sign(secret, link.fileId, link.expires);
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  if (!genuine || link.expires * 1000 <= now.getTime()) throw new RendermillError('link_invalid');
};
