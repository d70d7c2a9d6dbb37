import { renderMediaOnLambda } from '@remotion/lambda-client';
import { extensionOf } from '../../../../core/output.ts';
import type { RemoteRender, RenderSpec } from '../../contract.ts';
import type { VideoPlan } from '../../local/child/plan-render.ts';
import { delayRenderTimeoutOf } from '../options.ts';
import type { Site } from '../site/site-store.ts';
import { functionOf, outputKey, type Workplace } from '../workplace.ts';
import { functionsFor } from './plan-functions.ts';

export interface VideoOrder {
  /** Random, and ASCII: a webhook with any other character in it never arrives. */
  readonly id: string;
  readonly spec: RenderSpec;
  readonly plan: VideoPlan;
  readonly site: Site;
  /** What the budget gives. */
  readonly functions: number;
}

const encodingOf = ({ codec, crf, jpegQuality, frameRange, everyNthFrame, layout }: VideoPlan) => ({
  codec,
  ...(crf === null ? {} : { crf }),
  jpegQuality,
  frameRange: [frameRange[0], frameRange[1]] as [number, number],
  everyNthFrame,
  forceWidth: layout.width,
  forceHeight: layout.height,
  // As on this machine: of the same frames the same pixels.
  ...(codec === 'h264' ? { x264Preset: 'veryfast' as const } : {}),
});

/** Has the launch function begin. Rejects with what Remotion's client throws; then it may have begun all the same, and nobody knows of it. */
export const startVideo = async (
  workplace: Workplace,
  { id, spec, plan, site, functions }: VideoOrder,
): Promise<RemoteRender> => {
  const { settings, traits } = workplace;
  const startedAt = settings.clock.now().toISOString();
  const { renderId } = await renderMediaOnLambda({
    ...functionOf(workplace),
    ...encodingOf(plan),
    serveUrl: site.serveUrl,
    composition: spec.compositionId,
    inputProps: { ...spec.inputProps },
    scale: spec.scale ?? 1,
    concurrency: functionsFor(plan.totalFrames, functions),
    maxRetries: 1,
    timeoutInMilliseconds: delayRenderTimeoutOf(settings.delayRenderTimeoutMs, traits.timeoutSeconds),
    enableCancellation: true,
    overwrite: true,
    privacy: 'no-acl',
    outName: {
      bucketName: settings.bucketName,
      key: outputKey(id, extensionOf(spec.output.format)),
    },
    webhook: settings.webhook ? { ...settings.webhook, customData: { render: id } } : null,
  });
  const { bucketName, functionName, region } = settings;
  return { renderId, bucketName, functionName, region, startedAt };
};
