import type { Layout } from '../core/archive/archive-file.ts';

/** The files of a campaign or an import, by its id or its name, or any files by their ids; at the default of each option below. */
export type ArchiveOrder = (
  | { readonly campaignId: string; readonly fileIds?: never }
  | { readonly fileIds: readonly string[]; readonly campaignId?: never }
) & {
  /** Default: locale-first. */
  readonly layout?: Layout;
  /** `manifest.json` at the end of the archive. Default: false. */
  readonly manifest?: boolean;
  /** Of a batch that is still running: what there is. Default: false, and then it is refused. */
  readonly partial?: boolean;
};

export interface DownloadedArchive {
  readonly path: string;
  readonly sizeInBytes: number;
}
