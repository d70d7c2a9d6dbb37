import { extensionOf } from '../../core/output.ts';
import type { Export } from '../../domain/exports/export.ts';

const unsafe = /[^\p{L}\p{N}._-]+/gu;

/** A name that says what it is and is safe in every file system: `promo-video-0193f2ab.mp4`. */
export const fileNameOf = (row: Export): string => {
  const name =
    row.composition_id
      .replace(unsafe, '-')
      .replace(/^[.-]+|[.-]+$/g, '')
      .slice(0, 80) || 'export';
  return `${name}-${row.id.slice(-8)}.${extensionOf(row.format)}`;
};
