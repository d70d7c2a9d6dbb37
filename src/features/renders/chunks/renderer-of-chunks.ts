import { RendermillError } from '../../../core/errors.ts';
import type { ChunkRenderer } from '../../../platform/renderer/contract.ts';
import type { RunRenderDeps } from '../render-deps.ts';

/** Chunks are made by workers only; Lambda cuts its videos itself. */
export const rendererOfChunks = ({ chunks }: RunRenderDeps): ChunkRenderer => {
  if (chunks === undefined) throw new RendermillError('internal', { cause: 'this worker renders no chunks' });
  return chunks.renderer;
};
