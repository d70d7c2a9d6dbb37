import type { Tx } from '../../platform/db/client.ts';
import type { CheckedTemplate } from '../compositions/still-check.ts';

/** The files of a template that turned out not to be what its pictures are alone: none that came from a group is used again. */
export const forgetContent = async (
  tx: Tx,
  { organizationId, version, compositionId }: CheckedTemplate,
): Promise<void> => {
  await tx
    .updateTable('export')
    .set({ content_hash: null })
    .where('organization_id', '=', organizationId)
    .where('version', '=', version)
    .where('composition_id', '=', compositionId)
    .where('kind', '=', 'still')
    .where('status', '=', 'completed')
    .where('content_hash', 'is not', null)
    .where((row) => row.or([row('group_id', 'is not', null), row('cached', '=', true)]))
    .execute();
};
