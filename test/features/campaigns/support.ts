/** Campaigns over the real API, planned and rendered by whom the test chooses; files are real and lie in real storage. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CampaignRequest } from '../../../src/core/campaign-request.ts';
import { mediaTypeOf } from '../../../src/core/output.ts';
import { artifactKey } from '../../../src/domain/artifacts/artifact-keys.ts';
import { feedDueRuns } from '../../../src/domain/batches/due-runs.ts';
import { completeExports } from '../../../src/domain/exports/complete-export.ts';
import { contentHash } from '../../../src/domain/exports/content-hash.ts';
import type { Export, Fence } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { startExport } from '../../../src/domain/exports/start-export.ts';
import type { PresentedCampaign } from '../../../src/features/campaigns/present-campaign.ts';
import { createCampaignProcessor } from '../../../src/features/campaigns/process.ts';
import type { ActiveJob } from '../../../src/platform/queue/contract.ts';
import type { Call, Tenant, TestApi } from '../../support/api.ts';
import { times } from '../../support/factories.ts';

export const rendererVersion = 'renderer-1';

type Given = Partial<Omit<CampaignRequest, 'variants' | 'sizes'>> & {
  readonly variants?: number | readonly Record<string, unknown>[];
  readonly sizes?: number | readonly Record<string, unknown>[];
};

/** As JSON: three variants in two sizes. */
export const aCampaign = ({ variants = 3, sizes = 2, ...given }: Given = {}) => ({
  userId: 'user-1',
  projectId: 'project-1',
  compositionId: 'hero-ad',
  kind: 'still',
  format: 'png',
  sizes:
    typeof sizes === 'number'
      ? times(sizes, (index) => ({ name: `size ${index}`, width: 100 + index, height: 100 }))
      : sizes,
  variants:
    typeof variants === 'number'
      ? times(variants, (index) => ({ name: `variant ${index}`, locale: 'en', props: { title: `${index}` } }))
      : variants,
  ...given,
});

export const post = (api: TestApi, tenant: Tenant, body: unknown, more: Call & { query?: string } = {}) =>
  api.call(`/api/campaigns${more.query ?? ''}`, { key: tenant.key, body, ...more });

/** Accepted; returns its id. */
export const request = async (api: TestApi, tenant: Tenant, given: Given = {}): Promise<string> => {
  const response = await post(api, tenant, aCampaign(given));
  const answer = (await response.json()) as { id: string };
  if (response.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.id;
};

export const read = async (
  api: TestApi,
  tenant: Tenant,
  id: string,
  query = '',
): Promise<PresentedCampaign> => {
  const response = await api.call(`/api/campaigns/${id}${query}`, { key: tenant.key });
  return (await response.json()) as PresentedCampaign;
};

export const processorOf = (api: TestApi, checkpoint?: () => void) =>
  createCampaignProcessor({ ...api, rendererVersion, ...(checkpoint ? { checkpoint } : {}) });

export const jobOf = (fed: { batchId: string; run: number; epoch: number }): ActiveJob => ({
  id: `batch-${fed.batchId}-${fed.run}-${fed.epoch}`,
  name: 'batch',
  data: { ...fed },
  attemptsMade: 0,
  attemptsAllowed: 3,
  signal: new AbortController().signal,
});

/** What the feeder and the campaign queue do, until nothing is due. */
export const planAll = async (api: TestApi): Promise<void> => {
  const process = processorOf(api);
  for (let due = await feedDueRuns(api.db, api.clock.now()); due.length > 0; ) {
    for (const fed of due) await process(jobOf(fed));
    due = await feedDueRuns(api.db, api.clock.now());
  }
};

export const cellsIn = (
  api: TestApi,
  batchId: string,
  statuses: readonly Export['status'][] = ['queued'],
): Promise<Export[]> =>
  api.db
    .selectFrom('export')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('status', 'in', statuses)
    .orderBy('run')
    .orderBy('line_order')
    .execute();

export const startCell = async (api: TestApi, row: Export): Promise<Fence> => {
  const job = { exportId: row.id, epoch: row.epoch, workerId: '00000000-0000-4000-8000-000000000000' };
  const started = await api.db.transaction().execute((tx) => startExport(tx, job, api.clock.now()));
  if (started.type !== 'started') throw new Error(`export ${row.id} could not be started`);
  return started.fence;
};

const contentOf = (row: Export): Buffer =>
  Buffer.from(JSON.stringify([row.composition_id, row.format, row.request]));

export const completeCell = async (api: TestApi, row: Export, fence: Fence): Promise<void> => {
  const content = contentOf(row);
  const storageKey = artifactKey({ ...fence, organizationId: row.organization_id }, row.format);
  await api.storage.put(storageKey, Readable.from([content]));
  const file = {
    storageKey,
    sizeInBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    mediaType: mediaTypeOf(row.format),
    width: row.width ?? 0,
    height: row.height ?? 0,
    durationSeconds: null,
    hasSound: null,
    renderTimeMs: 100,
    contentHash: contentHash(row, rendererVersion),
  };
  await api.db.transaction().execute((tx) => completeExports(tx, [{ fence, file }], api.clock.now()));
};

/** Renders what waits of a batch; of those that `fails` names none. */
export const renderAll = async (
  api: TestApi,
  batchId: string,
  fails: (row: Export, index: number) => boolean = () => false,
): Promise<void> => {
  for (const [index, row] of (await cellsIn(api, batchId)).entries()) {
    const fence = await startCell(api, row);
    if (!fails(row, index)) await completeCell(api, row, fence);
    else {
      const reason = { code: 'composition_error', text: 'It threw.' } as const;
      await api.db.transaction().execute((tx) => failExport(tx, fence, reason, api.clock.now()));
    }
  }
};

export const usageOf = async (api: TestApi, { organizationId }: Tenant, userId = 'user-1') => {
  const usage = await api.db
    .selectFrom('usage_day')
    .select((select) => select.fn.sum<number>('used').as('used'))
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  const project = await api.db
    .selectFrom('project')
    .select('export_count')
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  return { used: Number(usage?.used ?? 0), counted: project?.export_count ?? 0 };
};
