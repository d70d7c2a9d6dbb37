import { type AnyComposition, Internals } from 'remotion';

export interface Settled {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly durationInFrames: number;
}

/** Long enough for a few requests, short enough that one hanging composition is told by its name. */
const deadlineMs = 15_000;

const afterDeadline = (onTime: () => void): { promise: Promise<never>; cancel: () => void } => {
  let timer: number | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = window.setTimeout(() => {
      onTime();
      reject(new Error(`calculateMetadata() did not end within ${deadlineMs / 1000} seconds`));
    }, deadlineMs);
  });
  return { promise, cancel: () => window.clearTimeout(timer) };
};

/** What Remotion would make of the composition with its default props; or what went wrong. */
export const resolveDefaults = async (
  composition: AnyComposition,
): Promise<{ resolved: Settled | null; error: string | null }> => {
  if (composition.calculateMetadata === null) return { resolved: null, error: null };
  const abort = new AbortController();
  const deadline = afterDeadline(() => abort.abort());
  try {
    const work = Internals.resolveVideoConfig({
      calculateMetadata: composition.calculateMetadata,
      compositionId: composition.id,
      compositionWidth: composition.width ?? null,
      compositionHeight: composition.height ?? null,
      compositionFps: composition.fps ?? null,
      compositionDurationInFrames: composition.durationInFrames ?? null,
      defaultProps: composition.defaultProps ?? {},
      inputProps: composition.defaultProps ?? {},
      signal: abort.signal,
    });
    return { resolved: await Promise.race([work, deadline.promise]), error: null };
  } catch (error) {
    return { resolved: null, error: error instanceof Error ? error.message : String(error) };
  } finally {
    deadline.cancel();
  }
};
