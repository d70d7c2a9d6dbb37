import { randomUUID } from 'node:crypto';
import { RendermillError } from '../../../../core/errors.ts';
import { extensionOf } from '../../../../core/output.ts';
import type {
  RemoteMemory,
  RemoteRender,
  RenderProgress,
  RenderResult,
  RenderSpec,
  VideoOutput,
} from '../../contract.ts';
import { planRender, type VideoPlan } from '../../local/child/plan-render.ts';
import { preparing } from '../../local/child/progress.ts';
import { atSite } from '../at-site.ts';
import { failureAmong, failureOf } from '../errors/failure.ts';
import { explain } from '../explain.ts';
import { measureComposition } from '../measure-composition.ts';
import { priceOf } from '../price.ts';
import { siteAddressOf } from '../site/site-store.ts';
import type { SlotOrder } from '../slot-budget.ts';
import { holdSlots } from '../slots.ts';
import { untilAborted } from '../until-aborted.ts';
import { outputKey, type Workplace } from '../workplace.ts';
import { type Charge, settleFailure, settleSuccess } from './charge.ts';
import { findBefore } from './find-before.ts';
import { followProgress } from './follow-progress.ts';
import { outputKeyOf, type RemoteProgress } from './remote-progress.ts';
import { startVideo } from './start-video.ts';
import { watchRender } from './watch-render.ts';

export type VideoSpec = RenderSpec & { readonly output: VideoOutput };

export interface VideoOptions {
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: RenderProgress) => void) | undefined;
  readonly remote: RemoteMemory | undefined;
}

interface Found {
  readonly remote: RemoteRender;
  readonly progress: RemoteProgress;
}

interface Measured {
  readonly plan: VideoPlan;
  readonly start: () => Promise<RemoteRender>;
  readonly priceOfMeasuring: number | null;
}

const idIn = (key: string | null): string | null => /^outputs\/([\w-]+)\./.exec(key ?? '')?.[1] ?? null;

/** One video of one order, by its steps. */
const videoWork = (
  workplace: Workplace,
  spec: VideoSpec,
  { signal, onProgress, remote: memory }: VideoOptions,
) => {
  const { settings, objects } = workplace;
  const nowMs = () => settings.clock.now().getTime();
  const orderOf = (id: string, frames: number | null): SlotOrder => ({
    id,
    frames,
    urgency: spec.urgency ?? 'interactive',
    kind: 'video',
  });

  const find = async (): Promise<Found | null> => {
    const remote = memory?.before ?? null;
    const progress = remote === null ? null : await findBefore(workplace, remote);
    return remote === null || progress === null ? null : { remote, progress };
  };

  const measure = (id: string, charge: Charge): Promise<Measured> =>
    atSite(workplace, spec, async (site) => {
      const beganMs = nowMs();
      const composition = await measureComposition(workplace, site, spec);
      const plan = planRender(spec, composition) as VideoPlan;
      return {
        plan,
        priceOfMeasuring: priceOf(workplace, nowMs() - beganMs),
        start: () => startVideo(workplace, { id, spec, plan, site, functions: charge.slots.functions }),
      };
    });

  const begin = async (charge: Charge, { start }: Measured): Promise<RemoteRender> => {
    if (signal.aborted) throw new RendermillError('render_canceled');
    // Not given up half-way: it could have begun with nobody knowing of it.
    const remote = await start();
    charge.remote = remote;
    await memory?.save(remote);
    return remote;
  };

  const watch = async (charge: Charge, remote: RemoteRender, plan: VideoPlan): Promise<RemoteProgress> => {
    const told = followProgress(plan.totalFrames, nowMs, (progress) => onProgress?.(progress));
    const end = await watchRender(workplace, remote, {
      signal,
      maxRenderMs: spec.limits.maxRenderMs,
      onLook: (progress) => {
        charge.output = outputKeyOf(progress) ?? charge.output;
        told.follow(progress);
        return charge.slots.keep();
      },
    });
    charge.isOver = end.type === 'failed';
    if (end.type === 'done') {
      const { outKey, outputSizeInBytes } = end.progress;
      await objects.download(outKey ?? '', spec.outputPath, outputSizeInBytes, signal);
      told.finish();
      return end.progress;
    }
    throw await explain(workplace, failureAmong(end.progress.errors), {
      siteAddress: siteAddressOf(settings.siteBaseUrl, spec),
      bundlePath: spec.bundlePath,
    });
  };

  const resultOf = (
    progress: RemoteProgress,
    { plan, priceOfMeasuring }: Measured,
    beganMs: number,
  ): RenderResult => {
    const { costs, estimatedBillingDurationInMilliseconds: billedMs } = progress;
    return {
      ...plan.pixels,
      durationSeconds: plan.durationSeconds,
      renderTimeMs: Math.round(billedMs ?? nowMs() - beganMs),
      cost: priceOfMeasuring === null ? null : costs.accruedSoFar + priceOfMeasuring,
    };
  };

  const run = async (): Promise<RenderResult> => {
    const beganMs = nowMs();
    onProgress?.(preparing);
    const found = await find();
    const known = found === null ? null : outputKeyOf(found.progress);
    const id = idIn(known) ?? randomUUID();
    const charge: Charge = {
      slots: await holdSlots(settings, orderOf(id, spec.expectedFrames ?? null)),
      remote: found?.remote ?? null,
      output: known ?? outputKey(id, extensionOf(spec.output.format)),
      isOver: false,
    };
    try {
      const measured = await untilAborted(signal, spec.limits.maxRenderMs, measure(id, charge));
      const { totalFrames } = measured.plan;
      // One that goes on has its functions already, as many as they are.
      if (charge.remote === null && totalFrames !== spec.expectedFrames)
        await charge.slots.reorder(orderOf(id, totalFrames));
      const remote = charge.remote ?? (await begin(charge, measured));
      const progress = await watch(charge, remote, measured.plan);
      await settleSuccess(workplace, charge);
      return resultOf(progress, measured, beganMs);
    } catch (reason) {
      const error =
        reason instanceof RendermillError
          ? reason
          : await explain(workplace, failureOf(reason), { bundlePath: spec.bundlePath });
      await settleFailure(workplace, charge, error, signal);
      throw error;
    }
  };

  return { run };
};

/**
 * Renders a video on Lambda: measures, has it begun and watches it, or watches the one that an earlier attempt began, and brings its file
 * here. Rejects with a RendermillError or with the SDK's errors.
 */
export const renderVideo = (
  workplace: Workplace,
  spec: VideoSpec,
  options: VideoOptions,
): Promise<RenderResult> => videoWork(workplace, spec, options).run();
