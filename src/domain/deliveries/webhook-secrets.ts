/**
 * The secrets that sign webhooks: not hashed, since signing needs them, and a receiver can be shown its own again; encrypted where
 * the environment has a key. After a rotation the older ones sign beside the new one until they expire.
 */
import { randomBytes } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { Sealed, SecretBox } from '../../platform/secrets/secret-box.ts';

const secretBytes = 32;
const prefix = 'whsec_';
/** Each one is a signature in every request. */
const maxActive = 5;
/** A secret that the environment replaced signs on for as long as receivers usually need. */
const environmentOverlapMs = 24 * 3_600_000;

export interface WebhookSecret {
  readonly key: Buffer;
  /** null: until it is rotated. */
  readonly expiresAt: Date | null;
}

/** As receivers write it down: `whsec_` and base64. */
export const formatWebhookSecret = (key: Uint8Array): string => prefix + Buffer.from(key).toString('base64');

const parseWebhookSecret = (text: string): Buffer => Buffer.from(text.slice(prefix.length), 'base64');

/** What the encryption is bound to: moved to another endpoint, a secret does not open. */
export const placeOf = (sinkId: string): string => `webhook ${sinkId}`;

interface HeldSecret extends WebhookSecret {
  readonly id: string;
}

const openSecrets = async (
  db: Reader,
  box: SecretBox,
  sinkId: string,
  now: Date,
): Promise<readonly HeldSecret[]> => {
  const rows = await db
    .selectFrom('webhook_secret')
    .select(['id', 'secret', 'key_id', 'expires_at'])
    .where('sink_id', '=', sinkId)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)]))
    .orderBy('expires_at', (order) => order.desc().nullsFirst())
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map((row) => {
    const sealed: Sealed = { bytes: row.secret, keyId: row.key_id };
    return { id: row.id, key: box.open(sealed, placeOf(sinkId)), expiresAt: row.expires_at };
  });
};

/** Those that sign at this time, newest first. Throws `secrets_key_wrong`: never a wrong signature. */
export const loadWebhookSecrets = (
  db: Reader,
  box: SecretBox,
  sinkId: string,
  now: Date,
): Promise<readonly WebhookSecret[]> => openSecrets(db, box, sinkId, now);

const insertSecret = async (
  tx: Tx,
  box: SecretBox,
  sinkId: string,
  key: Buffer,
  now: Date,
): Promise<void> => {
  const { bytes, keyId } = box.seal(key, placeOf(sinkId));
  const row = {
    id: newId(),
    sink_id: sinkId,
    secret: bytes,
    key_id: keyId,
    created_at: now,
    expires_at: null,
  };
  await tx.insertInto('webhook_secret').values(row).execute();
};

/** For a sink that has none. Returns it. */
export const createWebhookSecret = async (
  tx: Tx,
  box: SecretBox,
  sinkId: string,
  now: Date,
): Promise<Buffer> => {
  const key = randomBytes(secretBytes);
  await insertSecret(tx, box, sinkId, key, now);
  return key;
};

/** None signs for longer than until then; one that was to end sooner does. */
const endOlderSecrets = async (tx: Tx, sinkId: string, until: Date): Promise<void> => {
  await tx
    .updateTable('webhook_secret')
    .set({ expires_at: until })
    .where('sink_id', '=', sinkId)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', until)]))
    .execute();
};

const dropExpiredSecrets = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await tx
    .deleteFrom('webhook_secret')
    .where('sink_id', '=', sinkId)
    .where('expires_at', '<=', now)
    .execute();
};

/** Without opening them: one that cannot be decrypted any more can be rotated away. */
const countActive = async (tx: Tx, sinkId: string): Promise<number> => {
  const { count } = await tx
    .selectFrom('webhook_secret')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('sink_id', '=', sinkId)
    .executeTakeFirstOrThrow();
  return count;
};

/** Two rotations at once would each leave a secret that never ends. Dispatchers read the sink anew when its row has changed. */
const holdSink = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await tx.updateTable('event_sink').set({ updated_at: now }).where('id', '=', sinkId).execute();
};

/** A new secret signs from now on, and the older ones until `until` (not after now: they end at once). Returns the new one. */
export const rotateWebhookSecret = async (
  tx: Tx,
  box: SecretBox,
  sinkId: string,
  until: Date,
  now: Date,
): Promise<Buffer> => {
  await holdSink(tx, sinkId, now);
  await endOlderSecrets(tx, sinkId, until);
  await dropExpiredSecrets(tx, sinkId, now);
  const active = await countActive(tx, sinkId);
  if (active >= maxActive) {
    throw new RendermillError('invalid_request', {
      message: `${active} older secrets still sign, and no more may. Wait until one of them has ended, or rotate with an overlap of 0 hours, which ends them all.`,
    });
  }
  return createWebhookSecret(tx, box, sinkId, now);
};

/**
 * For the sink of the environment: the secret that the environment names (`whsec_…`), else the one that it has, else a new one.
 * One that the environment names anew takes over like a rotation.
 */
export const ensureWebhookSecret = async (
  tx: Tx,
  box: SecretBox,
  sinkId: string,
  fromEnvironment: string | undefined,
  now: Date,
): Promise<void> => {
  await tx.selectFrom('event_sink').select('id').where('id', '=', sinkId).forUpdate().execute();
  const active = await openSecrets(tx, box, sinkId, now);
  const [newest] = active;
  if (fromEnvironment === undefined) {
    if (newest === undefined) await createWebhookSecret(tx, box, sinkId, now);
    return;
  }
  const wanted = parseWebhookSecret(fromEnvironment);
  if (newest?.key.equals(wanted) && newest.expiresAt === null) return;
  await holdSink(tx, sinkId, now);
  const same = active.filter(({ key }) => key.equals(wanted)).map(({ id }) => id);
  if (same.length > 0) await tx.deleteFrom('webhook_secret').where('id', 'in', same).execute();
  await endOlderSecrets(tx, sinkId, new Date(now.getTime() + environmentOverlapMs));
  await dropExpiredSecrets(tx, sinkId, now);
  await insertSecret(tx, box, sinkId, wanted, now);
};
