import type { RenderSpec } from '../../contract.ts';
import type { ChildSettings, VideoMeasure } from '../messages.ts';
import { prepareVideo } from './prepare-render.ts';
import type { CallHooks } from './remotion-options.ts';
import type { Session } from './session.ts';

/** Throws what rendering it would throw before its first frame. */
export const measureVideo = async (
  session: Session,
  spec: Omit<RenderSpec, 'outputPath'>,
  settings: ChildSettings,
  hooks: CallHooks,
): Promise<VideoMeasure> => {
  const { composition, plan } = await prepareVideo(session, spec, settings, hooks);
  return {
    ...plan.pixels,
    fps: composition.fps,
    frameRange: plan.frameRange,
    compositionFrames: composition.durationInFrames,
  };
};
