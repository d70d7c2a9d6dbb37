/** Whether a video that was claimed is cut for all idle workers, and the cut itself. */
import type { VideoFormat } from '../../../core/output.ts';
import { chunkOverheadMs, joinMs, planChunks } from '../../../core/plan-chunks.ts';
import { cutExport } from '../../../domain/exports/chunks/cut-export.ts';
import { idleSlots } from '../../../domain/exports/chunks/idle-slots.ts';
import { measureFrameCost } from '../../../domain/exports/chunks/measure-frame-cost.ts';
import type { Export, Fence } from '../../../domain/exports/export.ts';
import { cuttableFormats, type RenderSpec } from '../../../platform/renderer/contract.ts';
import type { Hold } from '../hold.ts';
import type { RunRenderDeps } from '../render-deps.ts';
import { whileUnavailable } from '../while-unavailable.ts';

/** True: it was cut, and is not this worker's any more. */
export const cutVideo = async (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  hold: Hold,
  spec: RenderSpec,
): Promise<boolean> => {
  const { chunks } = deps;
  if (chunks === undefined || row.kind !== 'video' || !cuttableFormats.has(row.format as VideoFormat)) {
    return false;
  }
  const freeSlots = await idleSlots(deps.db);
  if (freeSlots < 2 || isSurelyShort(row, chunks.afterSeconds)) return false;
  const measured = await chunks.renderer.measureVideo(spec, { signal: hold.signal });
  const frames = measured.frameRange[1] - measured.frameRange[0] + 1;
  const plan = planChunks({
    frames,
    fps: measured.fps,
    msPerFrame: await measureFrameCost(deps.db, row, measured),
    chunkOverheadMs,
    joinMs,
    freeSlots,
    thresholdSeconds: chunks.afterSeconds,
  });
  if (plan === null) return false;
  const stored = { ...measured, frameRange: [...measured.frameRange] as [number, number] };
  await whileUnavailable(deps.log, () =>
    deps.db
      .transaction()
      .execute((tx) =>
        cutExport(
          tx,
          fence,
          { count: plan.count, plan: { ...stored, framesPerChunk: plan.framesPerChunk } },
          deps.clock.now(),
        ),
      ),
  );
  deps.log.info(
    { exportId: row.id, frames, chunks: plan.count, freeSlots },
    'a video was cut for idle workers',
  );
  return true;
};

/** By what it was registered with: whether calculateMetadata makes it longer is found out only where it might matter. */
const isSurelyShort = (row: Export, afterSeconds: number): boolean =>
  row.duration !== null && row.duration <= afterSeconds;
