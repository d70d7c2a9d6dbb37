import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * `X-Remotion-Signature` of Remotion's webhooks: `sha512=` and the HMAC-SHA512 of the body's bytes in hex. Remotion's own check makes the
 * body anew from what was parsed, which refuses a body that is written in another way, and compares in a time that tells.
 */
export const isSignedWith = (secret: string, body: Buffer, header: unknown): boolean => {
  const [, hex] = typeof header === 'string' ? (/^sha512=([0-9a-f]{128})$/.exec(header) ?? []) : [];
  if (hex === undefined) return false;
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha512', secret).update(body).digest());
};
