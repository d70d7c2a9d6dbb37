import type { ChunkRenderer } from '../contract.ts';
import { chunkFiles } from './chunk-files.ts';
import type { ChildSettings } from './messages.ts';
import type { RunJob } from './run-job.ts';

/** Each piece is a job like a whole render; a join is one that needs neither bundle nor browser. */
export const chunkJobs = (runJob: RunJob, settings: ChildSettings): ChunkRenderer => ({
  measureVideo: (spec, options) =>
    runJob({
      tenant: spec,
      maxRenderMs: spec.limits.maxRenderMs,
      leaves: [],
      options,
      begin: (child, onProgress) => child.measureVideo({ spec, settings, onProgress }),
    }),
  renderChunk: async (spec, options) =>
    runJob({
      tenant: spec,
      maxRenderMs: spec.limits.maxRenderMs,
      leaves: Object.values(chunkFiles(spec.output, spec.outputBase)),
      options,
      begin: (child, onProgress) => child.renderChunk({ spec, settings, onProgress }),
    }),
  joinChunks: (spec, options) =>
    runJob({
      tenant: { organizationId: spec.organizationId, bundlePath: null },
      maxRenderMs: spec.maxRenderMs,
      leaves: [spec.outputPath],
      options,
      begin: (child, onProgress) => child.joinChunks({ spec, onProgress }),
    }),
});
