/**
 * Secrets at rest: AES-256-GCM with a key of the environment. What is sealed names the key that it needs, and is bound to its place:
 * moved to another row, it does not open.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

export interface Sealed {
  /** With a key: nonce, tag and ciphertext. Without: as it is. */
  readonly bytes: Buffer;
  /** Of the key; null: it is not encrypted. */
  readonly keyId: string | null;
}

export interface SecretBox {
  /** Of the key that new secrets are encrypted with; null: they are not. */
  readonly keyId: string | null;
  /** Whether what this key has sealed can be opened here. */
  knows(keyId: string | null): boolean;
  seal(plain: Uint8Array, place: string): Sealed;
  /** Throws `secrets_key_wrong` where the key is missing, or is not the one, or the bytes have been changed. */
  open(sealed: Sealed, place: string): Buffer;
}

export interface SecretKeys {
  /** 32 bytes in base64; absent: nothing is encrypted. */
  readonly key?: string | undefined;
  /** Opens what was sealed before. */
  readonly olderKey?: string | undefined;
}

/** Says which key it is, and nothing about it. */
const idOf = (key: Buffer): string =>
  createHmac('sha256', key).update('rendermill: id of a key').digest('hex').slice(0, 12);

const seal = (key: Buffer, plain: Uint8Array, place: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(place));
  const text = Buffer.concat([sealing.update(plain), sealing.final()]);
  return Buffer.concat([nonce, sealing.getAuthTag(), text]);
};

const open = (key: Buffer, bytes: Buffer, place: string): Buffer => {
  const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  opening.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([opening.update(bytes.subarray(nonceBytes + tagBytes)), opening.final()]);
};

const damaged = (place: string): RendermillError =>
  new RendermillError('secrets_key_wrong', {
    message: `The secret of ${place} cannot be decrypted: it was changed in the database, or belongs to another row. Give the endpoint a new one: rendermill webhooks rotate.`,
  });

const remedy =
  'Set SECRETS_KEY to the key that encrypted it, or SECRETS_KEY_OLD beside the newer one. Is the key lost, rendermill webhooks rotate ID --overlap-hours 0 gives the endpoint a new secret.';

/** Of a key that is not here. */
export const missingKey = (box: SecretBox, keyId: string, what: string): RendermillError => {
  const here = box.keyId === null ? 'SECRETS_KEY is not set' : `SECRETS_KEY is ${box.keyId}`;
  return new RendermillError('secrets_key_wrong', {
    message: `${what} encrypted with the key ${keyId}, and ${here}. ${remedy}`,
  });
};

export const createSecretBox = ({ key, olderKey }: SecretKeys = {}): SecretBox => {
  const given = [key, olderKey].flatMap((one) => (one === undefined ? [] : [Buffer.from(one, 'base64')]));
  const keys = new Map(given.map((one) => [idOf(one), one]));
  const newest = key === undefined ? undefined : Buffer.from(key, 'base64');
  const keyId = newest === undefined ? null : idOf(newest);
  const box: SecretBox = {
    keyId,
    knows: (id) => id === null || keys.has(id),
    seal: (plain, place) => ({
      bytes: newest === undefined ? Buffer.from(plain) : seal(newest, plain, place),
      keyId,
    }),
    open: (sealed, place) => {
      if (sealed.keyId === null) return sealed.bytes;
      const fitting = keys.get(sealed.keyId);
      if (fitting === undefined) throw missingKey(box, sealed.keyId, `The secret of ${place} is`);
      try {
        return open(fitting, sealed.bytes, place);
      } catch {
        throw damaged(place);
      }
    },
  };
  return box;
};
