import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { manifestName } from '../../../core/archive/archive-file.ts';
import { type ManifestFile, manifestText } from '../../../core/archive/manifest.ts';
import { planNames } from '../../../core/archive/plan-names.ts';
import { safePart } from '../../../core/archive/safe-name.ts';
import { zipLength } from '../../../core/archive/zip-length.ts';
import { extensionOf } from '../../../core/output.ts';
import type { FoundFile } from '../../../domain/artifacts/find-files.ts';
import type { Clock } from '../../../platform/clock/clock.ts';
import type { Database } from '../../../platform/db/client.ts';
import type { Storage } from '../../../platform/storage/contract.ts';
import type { HandedOut } from '../record-download.ts';
import type { ArchiveOrder } from './archive-order.ts';
import { assertAllWhole } from './assert-whole.ts';
import { type Collection, collectFiles } from './collect-files.ts';
import type { ArchiveEntry } from './stream-archive.ts';

export interface PreparedArchive {
  readonly entries: readonly ArchiveEntry[];
  /** Of the whole archive, to the byte. */
  readonly sizeInBytes: number;
  /** For a person's disk. */
  readonly fileName: string;
  /** A UUID: the batch's, or one that these files always have. */
  readonly id: string;
  readonly handedOut: HandedOut;
}

interface Stores {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: Storage;
}

/** Everything that can be refused is refused here, before a byte is sent: see `collectFiles`, `planNames`, `assertAllWhole`. */
export const prepareArchive = async (
  { db, storage, clock }: Stores,
  organizationId: string,
  order: ArchiveOrder,
): Promise<PreparedArchive> => {
  const collection = await collectFiles(db, organizationId, order, clock.now());
  const { files, campaign } = collection;
  const names = planNames(order.layout, files.map(toArchiveFile));
  await assertAllWhole(
    storage,
    files.map((file) => file.artifact),
  );
  const entries = [
    ...files.map((file, index) => entryOf(storage, file, names[index] ?? '')),
    ...(order.includeManifest ? [manifestEntry(collection, names, order)] : []),
  ];
  const sizeInBytes = zipLength(entries);
  const id = campaign?.id ?? idOfFiles(files);
  return {
    entries,
    sizeInBytes,
    id,
    fileName: `${nameOf(collection, id)}${collection.unfinished > 0 ? '-partial' : ''}.zip`,
    handedOut: {
      organizationId,
      ...onlyOne(
        'userId',
        files.map((file) => file.userId),
      ),
      entity: { type: campaign === null ? 'archive' : 'batch', id },
      facts: {
        exportType: 'zip',
        fileCount: files.length,
        sizeInBytes,
        ...onlyOne(
          'format',
          files.map((file) => file.format),
        ),
        ...(campaign === null ? {} : { batchId: campaign.id }),
      },
      archive: { organizationStrategy: order.layout, includesManifest: order.includeManifest },
    },
  };
};

/** What all have in common, else nothing. */
const onlyOne = <Key extends string>(
  key: Key,
  values: readonly string[],
): { readonly [K in Key]?: string } => {
  const [first] = values;
  const same = first !== undefined && values.every((value) => value === first);
  return (same ? { [key]: first } : {}) as { readonly [K in Key]?: string };
};

/** A single export has the name that its own download has, without a cell that would tell it from others. */
const toArchiveFile = (file: FoundFile) => ({
  name: file.variant ?? `${safePart(file.compositionId) || 'export'}-${file.artifact.export_id.slice(-8)}`,
  locale: file.locale,
  size: file.size,
  device: file.device,
  width: file.artifact.width,
  height: file.artifact.height,
  extension: extensionOf(file.format),
});

const entryOf = (storage: Storage, { artifact }: FoundFile, name: string): ArchiveEntry => ({
  name,
  sizeInBytes: artifact.size_in_bytes,
  modifiedAt: artifact.created_at,
  open: () =>
    artifact.size_in_bytes === 0
      ? storage.read(artifact.storage_key)
      : // Never more than was promised.
        storage.read(artifact.storage_key, { start: 0, end: artifact.size_in_bytes - 1 }),
});

const manifestEntry = (
  { campaign, madeAt, unfinished, files, failures }: Collection,
  names: readonly string[],
  { layout }: ArchiveOrder,
): ArchiveEntry => {
  const content = Buffer.from(
    manifestText({
      version: 1,
      campaign,
      layout,
      generatedAt: madeAt.toISOString(),
      unfinished,
      files: files.map((file, index) => describeFile(file, names[index] ?? '')),
      failures,
    }),
  );
  return {
    name: manifestName,
    sizeInBytes: content.length,
    modifiedAt: madeAt,
    open: async () => Readable.from([content]),
  };
};

const describeFile = (file: FoundFile, path: string): ManifestFile => ({
  path,
  fileId: file.artifact.file_id,
  exportId: file.artifact.export_id,
  sha256: file.artifact.sha256,
  sizeInBytes: file.artifact.size_in_bytes,
  mediaType: file.artifact.media_type,
  width: file.artifact.width,
  height: file.artifact.height,
  variant: file.variant,
  locale: file.locale,
  size: file.size,
  device: file.device,
  props: file.props,
  cached: file.cached,
});

/** A UUID of version 8 (RFC 9562) of the files, in whatever order they were named. */
const idOfFiles = (files: readonly FoundFile[]): string => {
  const ids = files.map((file) => file.artifact.file_id).sort();
  const bytes = createHash('sha256').update(ids.join('\n')).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const nameOf = ({ campaign }: Collection, id: string): string =>
  campaign === null
    ? `files-${id.slice(0, 8)}`
    : safePart(campaign.campaignId ?? '') || `campaign-${id.slice(-8)}`;
