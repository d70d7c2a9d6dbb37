/** The name of what decides about every byte of a file: bundle, composition, props, size, format, renderer. */
import { createHash } from 'node:crypto';
import type { Export } from './export.ts';
import { canonicalJson } from './idempotency.ts';

type Ordered = Pick<Export, 'version' | 'composition_id' | 'kind' | 'format' | 'request'>;

/** A bundle's version is itself a hash of its sources, so equal hashes are equal files, whichever organization's. */
export const contentHash = (row: Ordered, rendererVersion: string): string =>
  createHash('sha256')
    .update(
      canonicalJson({
        rendererVersion,
        bundle: row.version,
        composition: row.composition_id,
        kind: row.kind,
        format: row.format,
        request: row.request,
      }),
    )
    .digest('hex');
