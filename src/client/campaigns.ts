/** Campaigns through the API: asked for, watched, and read cell by cell. Every function rejects with an ApiError. */

import { isClosed } from '../core/batches.ts';
import type { ExportStatus } from '../core/exports.ts';
import { type AskOptions, posting } from './ask-options.ts';
import type {
  CampaignAcceptance,
  CampaignCell,
  CampaignFailure,
  CampaignFilter,
  CampaignMessage,
  CampaignOrder,
  CampaignOutput,
  CampaignPage,
  CampaignPlan,
  CampaignProgress,
  CampaignRecord,
  GeneratedCampaign,
} from './campaign-types.ts';
import type { StreamEvent } from './event-parser.ts';
import { followStream, parseData, type WatchOptions } from './follow-stream.ts';
import type { Transport } from './transport.ts';

export interface GenerateOptions extends WatchOptions {
  /** Called with each change, at most four times a second. */
  readonly onProgress?: (progress: CampaignProgress) => void;
  /** The same key within a day is the same campaign. */
  readonly idempotencyKey?: string;
}

/** A campaign, and a CSV import, is named by its id or by the tenant's own name for it. */
export interface CampaignClient {
  /** Requests, watches to the end and reads what came of it. Cells that failed are a result, not a rejection. */
  generateCampaign(order: CampaignOrder, options?: GenerateOptions): Promise<GeneratedCampaign>;
  /** Reserves all cells or none. */
  createCampaign(order: CampaignOrder, options?: AskOptions): Promise<CampaignAcceptance>;
  /** The dry run: nothing is recorded. */
  planCampaign(order: CampaignOrder, options?: Pick<AskOptions, 'signal'>): Promise<CampaignPlan>;
  /** With no cells: see campaignCells. */
  getCampaign(campaign: string): Promise<CampaignRecord>;
  /** Newest first; imports, too. */
  campaigns(filter?: CampaignFilter): Promise<CampaignPage>;
  /** By variant, then by size; read a page at a time. */
  campaignCells(campaign: string, filter?: { status?: ExportStatus }): AsyncGenerator<CampaignCell>;
  /** A snapshot, then every change; ends after the close of the last run; survives broken connections. */
  watchCampaign(campaign: string, options?: WatchOptions): AsyncGenerator<CampaignMessage>;
  /** A new run of the cells that failed. */
  retryCampaign(campaign: string, options?: AskOptions): Promise<CampaignAcceptance>;
  /** Asks for the end of what is left; watch it to see it close. */
  cancelCampaign(campaign: string): Promise<CampaignRecord>;
  /** What came of every cell. */
  campaignOutcome(campaign: string): Promise<GeneratedCampaign>;
}

const root = '/api/campaigns';
const pathOf = (campaign: string): string => `${root}/${encodeURIComponent(campaign)}`;
/** Cells of one answer: a few hundred kilobytes. */
const cellsAPage = 500;

export const createCampaignClient = (transport: Transport): CampaignClient => {
  const { json } = transport;
  const client: CampaignClient = {
    createCampaign: (order, options) => json(root, { ...posting(options), body: order }),
    planCampaign: (order, options) => json(`${root}?dryRun=true`, { ...posting(options), body: order }),
    getCampaign: (campaign) => json(`${pathOf(campaign)}?cells=0`),
    campaigns: (filter = {}) => json(`${root}${queryOf(filter)}`),
    campaignCells: (campaign, filter) => readCells(transport, campaign, filter),
    watchCampaign: (campaign, options) => watchCampaign(transport, campaign, options),
    retryCampaign: (campaign, options) => json(`${pathOf(campaign)}/retry`, posting(options)),
    cancelCampaign: (campaign) => json(pathOf(campaign), { method: 'DELETE' }),
    campaignOutcome: (campaign) => readOutcome(client, campaign),
    generateCampaign: async (order, { onProgress, idempotencyKey, ...options } = {}) => {
      const { id } = await json<CampaignAcceptance>(root, {
        ...posting({ ...(idempotencyKey === undefined ? {} : { idempotencyKey }), ...options }),
        body: order,
      });
      for await (const message of client.watchCampaign(id, options))
        if (message.type === 'progress') onProgress?.(message);
      return readOutcome(client, id);
    },
  };
  return client;
};

const queryOf = (filter: object): string => {
  const query = new URLSearchParams(
    Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return query.size === 0 ? '' : `?${query}`;
};

async function* readCells(
  { json }: Transport,
  campaign: string,
  filter: { status?: ExportStatus } = {},
): AsyncGenerator<CampaignCell> {
  let cursor: string | null = null;
  do {
    const place: { cursor?: string } = cursor === null ? {} : { cursor };
    const page: CampaignRecord = await json(
      `${pathOf(campaign)}${queryOf({ cells: cellsAPage, ...filter, ...place })}`,
    );
    yield* page.cells.items;
    cursor = page.cells.nextCursor;
  } while (cursor !== null);
}

const watchCampaign = (
  transport: Transport,
  campaign: string,
  options: WatchOptions = {},
): AsyncGenerator<CampaignMessage> =>
  followStream<CampaignMessage>(
    transport,
    {
      path: `${pathOf(campaign)}/events`,
      what: `campaign ${campaign}`,
      toMessage,
      isLast: (message) => message.type === 'status' && isClosed(message.status),
      readEnd: async () => {
        const { status, progress, closedAt } = await transport.json<CampaignRecord>(
          `${pathOf(campaign)}?cells=0`,
          { signal: options.signal },
        );
        return isClosed(status) ? { type: 'status', run: progress.run, status, at: closedAt ?? '' } : null;
      },
    },
    options,
  );

const toMessage = (event: StreamEvent): CampaignMessage | null => {
  if (event.event === 'status')
    return { ...parseData<CampaignMessage & { type: 'status' }>(event), type: 'status' };
  return event.event === 'progress' ? { ...parseData<CampaignProgress>(event), type: 'progress' } : null;
};

const readOutcome = async (client: CampaignClient, campaign: string): Promise<GeneratedCampaign> => {
  const outputs: CampaignOutput[] = [];
  const failures: CampaignFailure[] = [];
  let cells = 0;
  for await (const cell of client.campaignCells(campaign)) {
    cells += 1;
    const output = outputOf(cell);
    const failure = failureOf(cell);
    if (output) outputs.push(output);
    if (failure) failures.push(failure);
  }
  const { id } = await client.getCampaign(campaign);
  return {
    success: outputs.length === cells,
    batchId: id,
    totalRendered: outputs.length,
    outputs,
    failures,
  };
};

const outputOf = ({
  variant,
  locale,
  size,
  device,
  exportId,
  cached,
  file,
}: CampaignCell): CampaignOutput | null =>
  file === null || exportId === null
    ? null
    : { variant, locale, size, device, exportId, fileId: file.fileId, cached, file };

const failureOf = ({
  variant,
  locale,
  size,
  exportId,
  status,
  error,
}: CampaignCell): CampaignFailure | null => {
  if (status !== 'failed' && status !== 'canceled') return null;
  const canceled = { code: 'render_canceled', message: 'The cell was canceled.' };
  return { variant, locale, size, exportId, status, error: error ?? canceled };
};
