import { keysInUse } from '../../../domain/deliveries/encrypt-secrets.ts';
import type { Config } from '../../../platform/config/config.ts';
import type { Database } from '../../../platform/db/client.ts';
import { missingKey } from '../../../platform/secrets/secret-box.ts';
import { secretBoxOf } from '../../secret-box-of.ts';
import { type Check, missing, ok, warning } from './check.ts';

/** Whether the secrets of webhooks can be read here, and lie under the newest key. */
export const checkSecrets = async (db: Database, config: Config, now: Date): Promise<Check> => {
  const box = secretBoxOf(config);
  const uses = await keysInUse(db, now);
  for (const { keyId, secrets } of uses) {
    if (keyId === null || box.knows(keyId)) continue;
    return missing('secrets', `${secrets} cannot be decrypted`, missingKey(box, keyId, 'They are').message);
  }
  if (box.keyId === null) return ok('secrets', 'not encrypted, since SECRETS_KEY is not set');
  const others = uses.filter(({ keyId }) => keyId !== box.keyId).reduce((sum, one) => sum + one.secrets, 0);
  return others === 0
    ? ok('secrets', `encrypted with the key ${box.keyId}`)
    : warning(
        'secrets',
        `${others} not encrypted with the key ${box.keyId}`,
        'Run rendermill webhooks encrypt-secrets.',
      );
};
