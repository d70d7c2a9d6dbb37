import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { authenticate, createApiKey } from '../../domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../domain/accounts/organizations.ts';
import { setTier } from '../../domain/accounts/users.ts';
import type { Database } from '../../platform/db/client.ts';
import { commandLineUser } from '../command-line-user.ts';

export const developmentOrganization = 'development';

/** Where `up` leaves the key for the commands of the same folder. */
export const developmentKeyFile = (home: string): string => join(home, 'development-key');

/** The key of before while it is valid, else a new one, readable by its owner only. */
export const ensureDevelopmentKey = async (db: Database, home: string): Promise<string> => {
  const file = developmentKeyFile(home);
  const before = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  const valid = await authenticate(db, `Bearer ${before}`).then(
    (principal) => principal.organizationId === developmentOrganization,
    () => false,
  );
  if (valid) return before;
  const { key } = await db.transaction().execute(async (tx) => {
    const made = await ensureOrganization(tx, { id: developmentOrganization, name: 'Development' });
    // Else whoever tries the commands is out of exports after three.
    if (made) await setTier(tx, developmentOrganization, commandLineUser, 'unlimited', new Date());
    return createApiKey(tx, { organizationId: developmentOrganization, kind: 'secret', name: 'up' });
  });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  return key;
};
