/** `manifest.json` of an archive: what is in it, by which checksum, and what is missing. The same batch gives the same text. */
import type { Layout } from './archive-file.ts';

export interface ManifestFile {
  /** Of the entry. */
  readonly path: string;
  readonly fileId: string;
  readonly exportId: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeInBytes: number;
  readonly mediaType: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly variant: string | null;
  readonly locale: string | null;
  readonly size: string | null;
  readonly device: string | null;
  readonly props: Readonly<Record<string, unknown>>;
  /** Made from an earlier, identical file. */
  readonly cached: boolean;
}

export interface ManifestFailure {
  /** Of a file that was there and has expired; absent: there was none. */
  readonly fileId?: string;
  readonly variant: string;
  readonly locale: string | null;
  readonly size: string;
  readonly code: string;
  readonly message: string;
}

export interface ManifestCampaign {
  readonly id: string;
  /** The tenant's own name for it. */
  readonly campaignId: string | null;
  readonly run: number;
}

export interface Manifest {
  readonly version: 1;
  /** Null: of a list of files. */
  readonly campaign: ManifestCampaign | null;
  readonly layout: Layout;
  /** ISO 8601: when the batch closed, else when its newest file was made. */
  readonly generatedAt: string;
  /** Cells that had not come to their end yet. */
  readonly unfinished: number;
  readonly files: readonly ManifestFile[];
  readonly failures: readonly ManifestFailure[];
}

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`;
