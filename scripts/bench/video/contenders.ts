/** The same clip, as Remotion makes it when nothing is said, and as the product makes it. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type RenderMediaOptions, renderMedia, selectComposition } from '@remotion/renderer';
import type { Renderer, RenderProgress } from '../../../src/platform/renderer/contract.ts';
import { type CpuShares, startCpuMeter } from './cpu-meter.ts';

export const clipFps = 30;

export interface ClipSize {
  readonly width: number;
  readonly height: number;
}

/** Where and of how much; the same for all. */
export interface Workshop {
  readonly bundlePath: string;
  readonly browserExecutable: string;
  readonly directory: string;
  readonly frames: number;
}

export interface Measured {
  readonly seconds: number;
  readonly cpu: CpuShares;
  /** From the last frame's picture to the finished file: what is left of encoding, the sound, the join. Seconds. */
  readonly joinSeconds: number;
  readonly bytes: number;
  readonly file: string;
}

/** `tell` is to be called with the number of frames that there are pictures of. */
type Work = (tell: (renderedFrames: number) => void) => Promise<unknown>;

const measure = async (frames: number, file: string, work: Work): Promise<Measured> => {
  const stopMeter = startCpuMeter();
  const begun = performance.now();
  let lastPicture: number | null = null;
  await work((rendered) => {
    if (rendered >= frames) lastPicture ??= performance.now();
  });
  const ended = performance.now();
  const cpu = stopMeter();
  const { size: bytes } = await stat(file);
  const joinSeconds = (ended - (lastPicture ?? ended)) / 1000;
  return { seconds: (ended - begun) / 1000, cpu, joinSeconds, bytes, file };
};

/** What a variant says; nothing: Remotion's defaults. */
export type RemotionVariant = Partial<RenderMediaOptions>;

/** The composition is selected before the clock starts, so this is `renderMedia` alone; it opens its own browser, as it does by default. */
export const renderByRemotion = async (
  workshop: Workshop,
  size: ClipSize,
  name: string,
  variant: RemotionVariant = {},
): Promise<Measured> => {
  const { bundlePath, browserExecutable, directory, frames } = workshop;
  const file = join(directory, `${name}.mp4`);
  const common = { serveUrl: bundlePath, browserExecutable, logLevel: 'error' } as const;
  const selected = await selectComposition({ ...common, id: 'clip' });
  return measure(frames, file, (tell) =>
    renderMedia({
      ...common,
      composition: { ...selected, ...size },
      codec: 'h264',
      frameRange: [0, frames - 1],
      outputLocation: file,
      onProgress: ({ renderedFrames }) => tell(renderedFrames),
      ...variant,
    }),
  );
};

export const renderOurs = async (
  renderer: Renderer,
  workshop: Workshop,
  size: ClipSize,
  name: string,
): Promise<Measured> => {
  const { bundlePath, directory, frames } = workshop;
  const file = join(directory, `${name}.mp4`);
  await rm(file, { force: true });
  return measure(frames, file, (tell) =>
    renderer.render(
      {
        organizationId: 'bench',
        bundlePath,

        bundleVersion: 'abc123',
        compositionId: 'clip',
        inputProps: {},
        output: { kind: 'video', format: 'mp4', frameRange: [0, frames - 1] },
        ...size,
        limits: { maxDurationSeconds: null, maxRenderMs: 600_000 },
        outputPath: file,
      },
      {
        onProgress: ({ stage, renderedFrames }: RenderProgress) =>
          tell(stage === 'encoding' ? renderedFrames : 0),
      },
    ),
  );
};
