import type { Export } from '../../../domain/exports/export.ts';
import type { RenderProgress } from '../../../platform/renderer/contract.ts';

/** What the chunks leave to the join, as `chunk-progress.ts` has it. */
const before = 97;
/** The last percent is the file lying where it should. */
const after = 99;

/** Goes on where the chunks have ended. Of an export that is not cut: nothing is known yet. */
export const progressOfJoin = ({ chunk_plan: plan }: Export, percent = 0): RenderProgress => {
  const frames = plan === null ? 0 : plan.frameRange[1] - plan.frameRange[0] + 1;
  return {
    stage: plan === null ? 'preparing' : 'encoding',
    percent: plan === null ? 0 : before + ((after - before) * percent) / 100,
    renderedFrames: frames,
    totalFrames: frames,
    timeLeftMs: null,
  };
};
