import { describe, expect, test } from 'vitest';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';

const keyOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const secret = Buffer.from('the secret of an endpoint');
const box = createSecretBox({ key: keyOf(1) });
const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('a sealed secret', () => {
  test('opens at its place, and shows nothing of itself', () => {
    const sealed = box.seal(secret, 'webhook a');
    expect(sealed.bytes.includes(secret)).toBe(false);
    expect(box.open(sealed, 'webhook a')).toEqual(secret);
  });

  test('is another each time', () => {
    expect(box.seal(secret, 'a').bytes.equals(box.seal(secret, 'a').bytes)).toBe(false);
  });

  test('does not open at another place', () => {
    expect(codeOf(() => box.open(box.seal(secret, 'webhook a'), 'webhook b'))).toBe('secrets_key_wrong');
  });

  test('does not open with any of its bits changed, nor cut short', () => {
    const { bytes, keyId } = box.seal(secret, 'a');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(codeOf(() => box.open({ bytes: changed, keyId }, 'a'))).toBe('secrets_key_wrong');
      expect(codeOf(() => box.open({ bytes: bytes.subarray(0, at), keyId }, 'a'))).toBe('secrets_key_wrong');
    }
  });

  test('says which key it needs where that is missing', () => {
    const sealed = box.seal(secret, 'webhook a');
    const other = createSecretBox({ key: keyOf(2) });
    expect(() => other.open(sealed, 'webhook a')).toThrow(
      `The secret of webhook a is encrypted with the key ${box.keyId}, and SECRETS_KEY is ${other.keyId}.`,
    );
    expect(() => createSecretBox().open(sealed, 'webhook a')).toThrow('SECRETS_KEY is not set');
  });

  test('opens with the older key, and what is new gets the newer one', () => {
    const both = createSecretBox({ key: keyOf(2), olderKey: keyOf(1) });
    expect(both.open(box.seal(secret, 'a'), 'a')).toEqual(secret);
    expect(both.seal(secret, 'a').keyId).toBe(createSecretBox({ key: keyOf(2) }).keyId);
  });
});

test('without a key a secret lies there as it is, and is read with and without one', () => {
  const plain = createSecretBox().seal(secret, 'a');
  expect(plain).toEqual({ bytes: secret, keyId: null });
  expect(box.open(plain, 'a')).toEqual(secret);
});
