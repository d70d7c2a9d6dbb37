import type { VideoFormat } from '../../../../core/output.ts';

/**
 * Remotion's names. Not VP8 for webm: the encoder caps it at its default of about 0.3 Mbit/s, whatever the rate factor, and moving
 * pictures fall to blocks; VP9 costs a tenth more CPU (10.4 s against 9.6 s for 90 frames of 720p) and looks like the frames.
 */
export const codecs = { mp4: 'h264', webm: 'vp9', gif: 'gif' } as const satisfies Record<VideoFormat, string>;

export type VideoCodec = (typeof codecs)[VideoFormat];

/** What Remotion takes for the frames when nobody asks, and the quality at which `crfAt` meets its default rates. */
export const defaultQuality = 80;

/** Constant rate factors at quality 1, 80 (Remotion's own default) and 100. Lower is better and larger. */
const rateFactors: Readonly<
  Record<VideoCodec, readonly [worst: number, usual: number, best: number] | null>
> = {
  h264: [40, 18, 12],
  vp9: [55, 28, 18],
  gif: null,
};

/** Straight lines from quality 1 to 80 and from 80 to 100; null: the codec has no rate factor. */
export const crfAt = (codec: VideoCodec, quality: number): number | null => {
  const factors = rateFactors[codec];
  if (factors === null) return null;
  const [worst, usual, best] = factors;
  const exact =
    quality <= defaultQuality
      ? worst + ((usual - worst) * (quality - 1)) / (defaultQuality - 1)
      : usual + ((best - usual) * (quality - defaultQuality)) / (100 - defaultQuality);
  return Math.round(exact);
};

/** A gif counts its frames in hundredths of a second and no viewer shows more than 50 of them; faster footage is thinned out. */
const maxGifFps = 50;

export const everyNthFrame = (codec: VideoCodec, fps: number): number =>
  codec === 'gif' ? Math.ceil(fps / maxGifFps) : 1;

/** Intra blocks are divided, predicted ones are not: that search is a quarter of what is left of the encoder's CPU at this preset. */
const x264Params = 'partitions=i8x8,i4x4';

const withX264Params = ({ args }: { readonly args: readonly string[] }): string[] =>
  args.flatMap((argument) => (argument === 'libx264' ? [argument, '-x264-params', x264Params] : [argument]));

/**
 * Together 60 % less CPU than x264's default preset, at SSIM 0.997 and equal size; `npm run bench:video` holds them against it.
 * Remotion encodes in one of two places, as the memory allows, and both pass their arguments here.
 */
const x264Options = { x264Preset: 'veryfast', ffmpegOverride: withX264Params } as const;

export const encoderOptions = (codec: VideoCodec): Partial<typeof x264Options> =>
  codec === 'h264' ? x264Options : {};
