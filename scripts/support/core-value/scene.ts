import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '../../../src/client/client.ts';
import type { createChecklist } from '../checklist.ts';
import type { EventLog } from '../read-log.ts';

/** A service of one's own, seen from outside (its API) and from inside (its log). */
export interface Scene {
  readonly url: string;
  readonly key: string;
  readonly client: Client;
  readonly log: EventLog;
  readonly list: ReturnType<typeof createChecklist>;
  readonly folder: string;
}

/** Through the API, to this disk. */
export const downloadBytes = async ({ client, folder }: Scene, fileId: string): Promise<Buffer> => {
  const path = join(folder, 'files', fileId);
  await mkdir(dirname(path), { recursive: true });
  await client.download(fileId, path);
  return readFile(path);
};
