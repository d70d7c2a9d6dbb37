import type { Config } from '../platform/config/config.ts';
import { createSecretBox, type SecretBox } from '../platform/secrets/secret-box.ts';

export const secretBoxOf = ({ SECRETS_KEY, SECRETS_KEY_OLD }: Config): SecretBox =>
  createSecretBox({ key: SECRETS_KEY, olderKey: SECRETS_KEY_OLD });
