import { RendermillError } from '../../core/errors.ts';
import { getOrganization } from '../../domain/accounts/organizations.ts';
import { installationLog } from '../../domain/deliveries/endpoint-events.ts';
import type { Database } from '../../platform/db/client.ts';

/** Whoever runs commands can also make the one that is missing, unlike a caller of the API. */
export const requireOrganization = async (db: Database, id: string): Promise<void> => {
  try {
    await getOrganization(db, id);
  } catch (error) {
    if (!(error instanceof RendermillError) || error.code !== 'not_found') throw error;
    throw new RendermillError('not_found', {
      message: `${error.message} Make it with: rendermill organizations set ${id}`,
      cause: error,
    });
  }
};

/** For what only reads or repairs: the installation has a part of the log, of what happens to the operator's own endpoint. */
export const requireLogOf = async (db: Database, id: string): Promise<void> => {
  if (id !== installationLog) await requireOrganization(db, id);
};
