/** Links that a tenant hands to a browser: one file or one archive, until a time, signed with the organization's own secret. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';

export const maxLinkSeconds = 7 * 24 * 3600;
export const defaultLinkSeconds = 3600;

/** What is signed: a signature for one purpose is none for another. */
interface Subject {
  readonly purpose: 'download' | 'zip';
  /** Without line breaks: all that the link opens, in one spelling. */
  readonly subject: string;
  /** Unix seconds. */
  readonly expires: number;
}

/** 256 bits in base64url. */
const signaturePattern = /^[A-Za-z0-9_-]{43}$/;

const hmac = (secret: Buffer, { purpose, subject, expires }: Subject): Buffer =>
  createHmac('sha256', secret).update(`${purpose}\n${subject}\n${expires}`).digest();

/** base64url of HMAC-SHA256. */
export const createSignature = (secret: Buffer, subject: Subject): string =>
  hmac(secret, subject).toString('base64url');

/** Throws `link_invalid`, which does not say whether it is forged or too old. */
export const verifySignature = (secret: Buffer, subject: Subject, signature: string, now: Date): void => {
  // One spelling only: a decoder that forgives would make many links of one.
  const given = Buffer.from(signaturePattern.test(signature) ? signature : '', 'base64url');
  const expected = hmac(secret, subject);
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  if (!genuine || subject.expires * 1000 <= now.getTime()) throw new RendermillError('link_invalid');
};

export const unixSeconds = (time: Date): number => Math.floor(time.getTime() / 1000);

export interface SignedLink {
  readonly fileId: string;
  /** Unix seconds. */
  readonly expires: number;
  readonly signature: string;
}

export const createSignedLink = (secret: Buffer, fileId: string, expiresAt: Date): SignedLink => {
  const expires = unixSeconds(expiresAt);
  const signature = createSignature(secret, { purpose: 'download', subject: fileId, expires });
  return { fileId, expires, signature };
};

/** Throws `link_invalid`. */
export const verifySignedLink = (secret: Buffer, link: SignedLink, now: Date): void =>
  verifySignature(
    secret,
    { purpose: 'download', subject: link.fileId, expires: link.expires },
    link.signature,
    now,
  );
