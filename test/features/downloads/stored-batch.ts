/** A campaign that came to its end, or not: its cells are exports with files in storage, or failures, or still to come. */
import type { RunStatus } from '../../../src/core/batches.ts';
import { newId } from '../../../src/core/ids.ts';
import type { OutputFormat } from '../../../src/core/output.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { type StoredFile, storeExport, type TestApi } from '../../support/api.ts';
import { accept } from '../../support/factories.ts';

export interface CellGiven {
  readonly variant: string;
  readonly locale?: string | null;
  readonly outcome?: 'completed' | 'failed' | 'canceled' | 'queued';
  readonly content?: Buffer;
}

export interface StoredBatch {
  readonly id: string;
  readonly campaignId: string | null;
  /** Of the completed cells, in their order. */
  readonly files: readonly (StoredFile & { readonly variant: string; readonly locale: string | null })[];
}

export const closedAt = '2026-03-10T12:00:00.000Z';

/** One size, called square, for phones; a variant each. */
export const storeBatch = async (
  api: TestApi,
  who: Metered,
  cells: readonly CellGiven[],
  given: {
    status?: RunStatus;
    campaignId?: string | null;
    device?: string | null;
    format?: OutputFormat;
  } = {},
): Promise<StoredBatch> => {
  const { status = 'completed', campaignId = 'spring sale', device = 'phone', format = 'png' } = given;
  const id = newId();
  const now = api.clock.now();
  const count = (outcome: string) => cells.filter((cell) => (cell.outcome ?? 'completed') === outcome).length;
  await api.db
    .insertInto('batch')
    .values({
      id,
      organization_id: who.organizationId,
      user_id: who.userId,
      project_id: 'project-1',
      job_type: 'campaign',
      campaign_id: campaignId,
      run: 1,
      kind: 'still',
      format,
      render_mode: 'local',
      composition_id: 'hero-ad',
      version: '00112233aabbccdd',
      template: JSON.stringify({}),
      sizes: JSON.stringify([{ name: 'square', width: 1080, height: 1080, device }]),
      variant_count: cells.length,
      reuse: true,
      report: null,
      created_at: now,
      updated_at: now,
    })
    .execute();
  await api.db
    .insertInto('batch_run')
    .values({
      batch_id: id,
      run: 1,
      status,
      total: cells.length,
      planned: cells.length,
      succeeded: count('completed'),
      failed: count('failed'),
      canceled: count('canceled'),
      tier: who.tierName,
      charged_day: '2026-03-10',
      charged_hour: 12,
      credits_per_cell: 0,
      created_at: now,
      updated_at: now,
      closed_at: status === 'accepted' || status === 'running' ? null : new Date(closedAt),
    })
    .execute();
  const files: StoredBatch['files'][number][] = [];
  for (const [position, cell] of cells.entries()) {
    const { variant, locale = null, outcome = 'completed', content } = cell;
    const props = JSON.stringify({ title: variant });
    await api.db
      .insertInto('batch_variant')
      .values({ batch_id: id, position, name: variant, locale, props })
      .execute();
    const stored =
      outcome === 'completed'
        ? await storeExport(api, who, { format, ...(content === undefined ? {} : { content }) })
        : undefined;
    const row = stored?.row ?? (await accept(api.db, who));
    await api.db
      .updateTable('export')
      .set({
        batch_id: id,
        run: 1,
        variant: position,
        size: 0,
        ...(outcome === 'failed'
          ? { status: outcome, error_code: 'composition_error', error_text: 'It threw.' }
          : {}),
        ...(outcome === 'canceled' ? { status: outcome } : {}),
      })
      .where('id', '=', row.id)
      .execute();
    if (stored) files.push({ ...stored, variant, locale });
  }
  return { id, campaignId, files };
};
