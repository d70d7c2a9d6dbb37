import { artifactPrefix } from '../../../domain/artifacts/artifact-keys.ts';
import type { Chunk } from '../../../domain/exports/chunks/chunk.ts';

/**
 * Beside the export's other files, so that what removes those removes these. Each start writes a name of its own: a worker that lost
 * its job can never overwrite the holder's file.
 */
export const chunkKey = (chunk: Chunk, extension: string): string =>
  `${artifactPrefix(chunk.organization_id, chunk.export_id)}chunks/${chunk.number}-${chunk.epoch}-${chunk.attempt}${extension}`;
