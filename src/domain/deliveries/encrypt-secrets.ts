/** The keys that secrets lie under: whether this process has them, and bringing all of them under the newest. */
import { RendermillError } from '../../core/errors.ts';
import type { Database, Reader } from '../../platform/db/client.ts';
import { missingKey, type SecretBox } from '../../platform/secrets/secret-box.ts';
import { placeOf } from './webhook-secrets.ts';

const chunk = 200;

export interface KeyUse {
  /** null: as they are. */
  readonly keyId: string | null;
  readonly secrets: number;
}

/** Of the secrets that sign still. */
export const keysInUse = (db: Reader, now: Date): Promise<KeyUse[]> =>
  db
    .selectFrom('webhook_secret')
    .select((row) => ['key_id as keyId', row.fn.countAll<number>().as('secrets')])
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)]))
    .groupBy('key_id')
    .orderBy('key_id')
    .execute();

/** At the start: throws `secrets_key_wrong` where some could not be opened, before a delivery would find out. */
export const assertSecretsReadable = async (db: Reader, box: SecretBox, now: Date): Promise<void> => {
  for (const { keyId, secrets } of await keysInUse(db, now)) {
    if (keyId !== null && !box.knows(keyId)) {
      throw missingKey(box, keyId, secrets === 1 ? 'A webhook secret is' : `${secrets} webhook secrets are`);
    }
  }
};

/**
 * Encrypts with the newest key what lies there as it is, or under an older one; a part at a time, while everything runs. Returns how
 * many. Throws `invalid_configuration` without a key, `secrets_key_wrong` where an older one is missing.
 */
export const encryptSecrets = async (db: Database, box: SecretBox, now: Date): Promise<number> => {
  if (box.keyId === null) {
    throw new RendermillError('invalid_configuration', {
      message: 'SECRETS_KEY is not set. Make one with openssl rand -base64 32, and give it to every process.',
    });
  }
  const { keyId } = box;
  // They sign nothing any more, and need not be kept for their key.
  await db.deleteFrom('webhook_secret').where('expires_at', '<=', now).execute();
  let encrypted = 0;
  for (;;) {
    const found = await db.transaction().execute(async (tx) => {
      const rows = await tx
        .selectFrom('webhook_secret')
        .select(['id', 'sink_id', 'secret', 'key_id'])
        .where('key_id', 'is distinct from', keyId)
        .orderBy('id')
        .limit(chunk)
        .forUpdate()
        .execute();
      for (const row of rows) {
        const place = placeOf(row.sink_id);
        const sealed = box.seal(box.open({ bytes: row.secret, keyId: row.key_id }, place), place);
        await tx
          .updateTable('webhook_secret')
          .set({ secret: sealed.bytes, key_id: sealed.keyId })
          .where('id', '=', row.id)
          .execute();
      }
      return rows.length;
    });
    encrypted += found;
    if (found < chunk) return encrypted;
  }
};
