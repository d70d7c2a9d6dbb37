/** The name of what was asked for, whichever way: alone or as a cell, the size named or left to the composition. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Export } from './export.ts';
import { canonicalJson } from './idempotency.ts';

type Asked = Pick<Export, 'version' | 'composition_id' | 'kind' | 'format' | 'width' | 'height'> & {
  readonly request: Export['request'];
};

/** Half of a SHA-256 suffices for a signal, and the index over it stays small. */
const hashBytes = 16;

export const inputHash = ({ version, composition_id, kind, format, request, width, height }: Asked): string =>
  createHash('sha256')
    .update(
      canonicalJson({
        version,
        composition: composition_id,
        kind,
        format,
        // Pixels of the file, as planned; the composition alone knows them where it computes its size.
        request: { ...request, width: width ?? request.width, height: height ?? request.height },
      }),
    )
    .digest()
    .subarray(0, hashBytes)
    .toString('base64url');

/**
 * For RETURNING of an insert, which sees what was there before its statement: whether the oldest export of the same user and input
 * is another one, and of another batch. Cells that are equal, or tried again, are no new wish.
 */
export const askedBefore = sql<boolean>`coalesce((
  SELECT export.batch_id IS NULL OR before.batch_id IS DISTINCT FROM export.batch_id FROM export AS before
  WHERE before.organization_id = export.organization_id AND before.user_id = export.user_id
    AND before.input_hash = export.input_hash
  ORDER BY before.created_at LIMIT 1), false)`;
