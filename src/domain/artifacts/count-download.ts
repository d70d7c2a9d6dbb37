import { sql } from 'kysely';
import type { Tx } from '../../platform/db/client.ts';

/** Of a file, or of an archive under its own id: how often it was handed out, this time included, to anybody. */
export const countDownload = async (
  tx: Tx,
  { organizationId, fileId }: { organizationId: string; fileId: string },
): Promise<number> => {
  const { downloads } = await tx
    .insertInto('download_count')
    .values({ organization_id: organizationId, file_id: fileId, downloads: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'file_id'])
        .doUpdateSet({ downloads: sql<number>`download_count.downloads + 1` }),
    )
    .returning('downloads')
    .executeTakeFirstOrThrow();
  return downloads;
};
