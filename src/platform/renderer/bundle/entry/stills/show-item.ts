import type { BundleCompositionState, VideoConfigWithSerializedProps } from 'remotion';
import type { StillsPageItem, StillsPageProps } from '../protocol.ts';
import { openHandles, releaseHandles, untilReleased } from './handles.ts';
import { takePortalHome } from './portal.ts';
import { changeScene } from './scene.tsx';

const evaluation = { type: 'evaluation' } as const;

/** Takes away what is shown, and continues all other handles. */
export const clearPage = async (hold: number): Promise<void> => {
  await changeScene(false, evaluation);
  takePortalHome();
  releaseHandles([hold]);
};

/** Zero-based, or null when the composition has no such frame. */
const resolveFrame = (frame: number, durationInFrames: number): number | null => {
  const resolved = frame < 0 ? durationInFrames + frame : frame;
  return resolved < 0 || resolved >= durationInFrames ? null : resolved;
};

const compositionMode = (
  { compositionId, width, height }: StillsPageProps,
  metadata: VideoConfigWithSerializedProps,
): BundleCompositionState => ({
  type: 'composition',
  compositionName: compositionId,
  serializedResolvedPropsWithSchema: metadata.serializedResolvedPropsWithCustomSchema,
  compositionDurationInFrames: metadata.durationInFrames,
  compositionFps: metadata.fps,
  compositionHeight: height,
  compositionWidth: width,
  // Null for most, whatever Remotion's type says.
  compositionDefaultCodec: metadata.defaultCodec as BundleCompositionState['compositionDefaultCodec'],
  compositionDefaultOutName: metadata.defaultOutName,
  compositionDefaultVideoImageFormat: metadata.defaultVideoImageFormat,
  compositionDefaultPixelFormat: metadata.defaultPixelFormat,
  compositionDefaultProResProfile: metadata.defaultProResProfile,
  compositionDefaultSampleRate: metadata.defaultSampleRate,
});

/**
 * Makes of an empty page what two fresh pages are made into by Remotion's selectComposition() and renderStill(), with the same
 * functions of the page in the same order: nothing that a composition can ask differs then. Returns when the composition is
 * mounted; what it still waits for, it holds by handles of its own. Does no more once the signal is aborted.
 */
export const showItem = async (
  stills: StillsPageProps,
  item: StillsPageItem,
  turn: { readonly signal: AbortSignal; readonly onThrown: (thrown: unknown) => void },
): Promise<{ type: 'shown' } | { type: 'frame-out-of-range'; durationInFrames: number }> => {
  window.remotion_inputProps = item.serializedInputProps;
  window.remotion_initialFrame = 0;
  const evaluated = changeScene(true, evaluation, turn.onThrown);
  const own = openHandles();
  await evaluated;
  await untilReleased(own);
  turn.signal.throwIfAborted();
  const metadata = await window.remotion_calculateComposition(stills.compositionId);
  turn.signal.throwIfAborted();
  const frame = resolveFrame(item.frame, metadata.durationInFrames);
  if (frame === null) {
    return { type: 'frame-out-of-range', durationInFrames: metadata.durationInFrames };
  }
  window.remotion_initialFrame = frame;
  await changeScene(true, compositionMode(stills, metadata), turn.onThrown);
  return { type: 'shown' };
};
