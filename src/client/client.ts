/**
 * A client of the HTTP API, for Node 20 and later: used by our own commands and scripts, and by whoever wants it.
 * It imports `core` and nothing else of ours, so that it knows only what any other client could know.
 */

import type { TierName } from '../core/tiers.ts';
import { ApiError } from './api-error.ts';
import type { ArchiveOrder, DownloadedArchive } from './archive-types.ts';
import { type AskOptions, posting } from './ask-options.ts';
import { type CampaignClient, createCampaignClient } from './campaigns.ts';
import { downloadArchive } from './download-archive.ts';
import { type DownloadedFile, downloadFile } from './download-file.ts';
import type { WatchOptions } from './follow-stream.ts';
import { importCsv } from './import-csv.ts';
import type { CsvImport, CsvImportOrder, CsvImportPlan, ImportCsvOptions } from './import-types.ts';
import { type ClientOptions, createTransport } from './transport.ts';
import type {
  Acceptance,
  Composition,
  DownloadLink,
  ExportFilter,
  ExportPage,
  ExportRecord,
  Project,
  RenderOrder,
  User,
  WatchMessage,
} from './types.ts';
import { watchExport } from './watch-export.ts';

/** Every function rejects with an ApiError. */
export interface Client extends CampaignClient {
  render(order: RenderOrder, options?: AskOptions): Promise<Acceptance>;
  /** Asks and waits: resolves with the completed export; rejects with the code of its failure, or `render_canceled`. */
  renderStill(order: Omit<RenderOrder, 'kind'>, options?: WatchOptions): Promise<ExportRecord>;
  renderVideo(order: Omit<RenderOrder, 'kind'>, options?: WatchOptions): Promise<ExportRecord>;
  get(exportId: string): Promise<ExportRecord>;
  /** Every change of state, once, and the progress in between; ends after the final state; survives broken connections. */
  watch(exportId: string, options?: WatchOptions): AsyncGenerator<WatchMessage>;
  /** Asks for the end of an export; a running one ends within seconds. */
  cancel(exportId: string): Promise<ExportRecord>;
  /** Rejects with `checksum_mismatch`, and leaves nothing at the path, where other bytes arrived than were stored. */
  download(fileId: string, path: string, options?: { signal?: AbortSignal }): Promise<DownloadedFile>;
  /** As one ZIP. Rejects with `length_mismatch`, and leaves nothing at the path, where fewer bytes arrived than were announced. */
  downloadArchive(
    order: ArchiveOrder,
    path: string,
    options?: { signal?: AbortSignal },
  ): Promise<DownloadedArchive>;
  downloadLink(fileId: string, options?: { expiresInSeconds?: number }): Promise<DownloadLink>;
  putUser(userId: string, user: { tier: TierName }): Promise<User>;
  putProject(projectId: string, project: { name: string }): Promise<Project>;
  /** A batch of the file's rows × sizes, accepted; a Blob of `fs.openAsBlob` is never in memory as a whole. */
  importCsv(file: Blob, order: CsvImportOrder, options?: ImportCsvOptions): Promise<CsvImport>;
  /** Reads and judges the whole file; accepts nothing. */
  planCsvImport(file: Blob, order: CsvImportOrder, options?: ImportCsvOptions): Promise<CsvImportPlan>;
  /** Newest first. */
  exports(filter?: ExportFilter): Promise<ExportPage>;
  /** Every version of every composition, newest first. */
  compositions(): Promise<readonly Composition[]>;
}

const idIn = encodeURIComponent;

export const createClient = (options: ClientOptions): Client => {
  const transport = createTransport(options);
  const { json } = transport;
  const get: Client['get'] = (exportId) => json(`/api/render/${idIn(exportId)}`);
  const render: Client['render'] = (order, options) =>
    json('/api/render', { ...posting(options), body: order });
  const renderToEnd = async (order: RenderOrder, watchOptions?: WatchOptions): Promise<ExportRecord> => {
    const { id } = await render(order, { signal: watchOptions?.signal });
    for await (const _message of watchExport(transport, id, watchOptions));
    return completedOrThrow(await get(id));
  };
  return {
    ...createCampaignClient(transport),
    render,
    renderStill: (order, watchOptions) => renderToEnd({ ...order, kind: 'still' }, watchOptions),
    renderVideo: (order, watchOptions) => renderToEnd({ ...order, kind: 'video' }, watchOptions),
    get,
    watch: (exportId, watchOptions) => watchExport(transport, exportId, watchOptions),
    cancel: (exportId) => json(`/api/render/${idIn(exportId)}`, { method: 'DELETE' }),
    download: (fileId, path, { signal } = {}) => downloadFile(transport, fileId, path, signal),
    downloadArchive: (order, path, { signal } = {}) => downloadArchive(transport, order, path, signal),
    downloadLink: (fileId, body = {}) =>
      json('/api/render/download-link', { method: 'POST', body: { fileId, ...body } }),
    putUser: (userId, body) => json(`/api/users/${idIn(userId)}`, { method: 'PUT', body }),
    putProject: (projectId, body) => json(`/api/projects/${idIn(projectId)}`, { method: 'PUT', body }),
    importCsv: (file, order, given) => importCsv(options, file, order, given),
    planCsvImport: (file, order, given) => importCsv(options, file, { ...order, dryRun: true }, given),
    exports: (filter = {}) => json(`/api/exports${queryOf(filter)}`),
    compositions: async () => (await json<{ compositions: Composition[] }>('/api/compositions')).compositions,
  };
};

const completedOrThrow = (record: ExportRecord): ExportRecord => {
  if (record.status === 'completed') return record;
  const { code, message } = record.error ?? { code: 'render_canceled', message: 'The export was canceled.' };
  throw new ApiError({ code, status: 0, message, details: { exportId: record.id, status: record.status } });
};

const queryOf = (filter: ExportFilter): string => {
  const query = new URLSearchParams(
    Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return query.size === 0 ? '' : `?${query}`;
};
