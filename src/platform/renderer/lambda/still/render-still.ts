import { randomUUID } from 'node:crypto';
import { renderStillOnLambda } from '@remotion/lambda-client';
import { z } from 'zod';
import { extensionOf } from '../../../../core/output.ts';
import type { RenderProgress, RenderResult, RenderSpec, StillOutput } from '../../contract.ts';
import { defaultQuality } from '../../local/child/encoding.ts';
import { fitSize, type Size } from '../../local/child/fit-size.ts';
import { preparing, trackProgress } from '../../local/child/progress.ts';
import { atSite } from '../at-site.ts';
import { delayRenderTimeoutOf } from '../options.ts';
import type { Site } from '../site/site-store.ts';
import { holdSlots } from '../slots.ts';
import { untilAborted } from '../until-aborted.ts';
import { removeObjects } from '../video/clean-up.ts';
import { functionOf, outputKey, progressPrefix, type Workplace } from '../workplace.ts';

export type StillSpec = RenderSpec & { readonly output: StillOutput };

export interface StillOptions {
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: RenderProgress) => void) | undefined;
}

interface StillEnd {
  readonly renderId: string;
  readonly outKey: string;
  readonly sizeInBytes: number;
  readonly cost: number | null;
}

const progressSchema = z.object({
  renderMetadata: z.object({ dimensions: z.object({ width: z.number(), height: z.number() }) }),
});

/** Pixels of the file. Throws `invalid_dimensions` for more than may be. */
const pixelsOf = (dimensions: Size, { scale = 1, output }: StillSpec): Size =>
  fitSize({
    own: { width: dimensions.width / scale, height: dimensions.height / scale },
    asked: {},
    scale,
    format: output.format,
  }).pixels;

const stillWork = (workplace: Workplace, spec: StillSpec, { signal, onProgress }: StillOptions) => {
  const { settings, traits, objects } = workplace;
  const { output, width, height } = spec;
  const id = randomUUID();
  const key = outputKey(id, extensionOf(output.format));
  let renderId: string | null = null;

  const invoke = async (site: Site): Promise<StillEnd> => {
    const still = await renderStillOnLambda({
      ...functionOf(workplace),
      serveUrl: site.serveUrl,
      composition: spec.compositionId,
      inputProps: { ...spec.inputProps },
      imageFormat: output.format,
      frame: output.frame,
      scale: spec.scale ?? 1,
      ...(output.format === 'jpeg' ? { jpegQuality: spec.quality ?? defaultQuality } : {}),
      ...(width === undefined ? {} : { forceWidth: width }),
      ...(height === undefined ? {} : { forceHeight: height }),
      timeoutInMilliseconds: delayRenderTimeoutOf(settings.delayRenderTimeoutMs, traits.timeoutSeconds),
      maxRetries: 1,
      privacy: 'no-acl',
      outName: { bucketName: settings.bucketName, key },
      onInit: (begun) => {
        renderId = begun.renderId;
      },
    });
    const { accruedSoFar, currency } = still.estimatedPrice;
    return { ...still, cost: currency === 'USD' ? accruedSoFar : null };
  };

  const fetchPicture = async ({ renderId: ended, outKey, sizeInBytes }: StillEnd): Promise<Size> => {
    const progress = await objects.readText(`${progressPrefix(ended)}progress.json`);
    const { dimensions } = progressSchema.parse(JSON.parse(progress)).renderMetadata;
    const pixels = pixelsOf(dimensions, spec);
    await objects.download(outKey, spec.outputPath, sizeInBytes, signal);
    return pixels;
  };

  const removeAll = async (): Promise<void> => {
    if (renderId !== null) await removeObjects(workplace, renderId, key);
  };

  const run = async (): Promise<RenderResult> => {
    const slots = await holdSlots(settings, {
      id,
      frames: 1,
      urgency: spec.urgency ?? 'interactive',
      kind: 'still',
    });
    const nowMs = () => settings.clock.now().getTime();
    const progress = trackProgress(nowMs);
    const beganMs = nowMs();
    onProgress?.(preparing);
    // A still cannot be stopped: its function, and its slot, are busy until it answers, whoever listens.
    const invocation = atSite(workplace, spec, invoke).finally(() => slots.release());
    try {
      const end = await untilAborted(signal, spec.limits.maxRenderMs, invocation);
      const renderTimeMs = nowMs() - beganMs;
      onProgress?.(progress.begin(1));
      const pixels = await fetchPicture(end);
      onProgress?.(progress.finish());
      return { ...pixels, durationSeconds: null, renderTimeMs, cost: end.cost };
    } finally {
      // The caller does not wait for tidiness.
      void invocation.catch(() => undefined).then(() => workplace.afterwards.do(removeAll));
    }
  };
  return { run };
};

/** One picture by one function. Rejects with a RendermillError or with the SDK's errors. */
export const renderStill = (
  workplace: Workplace,
  spec: StillSpec,
  options: StillOptions,
): Promise<RenderResult> => stillWork(workplace, spec, options).run();
