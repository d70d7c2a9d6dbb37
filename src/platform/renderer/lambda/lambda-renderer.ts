import { RendermillError } from '../../../core/errors.ts';
import { ownRemotionVersion } from '../bundle/installed-version.ts';
import type { RemoteRenderer, RenderOptions, RenderResult, RenderSpec } from '../contract.ts';
import { createAfterwards } from './afterwards.ts';
import { openBucket } from './bucket-objects.ts';
import { failureOf } from './errors/failure.ts';
import { explain } from './explain.ts';
import { checkFunctionVersion, parseFunctionName } from './function-name.ts';
import { type LambdaRendererOptions, type LambdaSettings, withDefaults } from './options.ts';
import { createSiteStore } from './site/site-store.ts';
import { renderStill, type StillSpec } from './still/render-still.ts';
import { renderStills } from './still/render-stills.ts';
import { discardRender } from './video/discard-render.ts';
import { renderVideo, type VideoSpec } from './video/render-video.ts';
import type { Workplace } from './workplace.ts';

/** Raise it with every change of ours that may change a pixel or a byte of an output. */
const revision = 1;

const openWorkplace = async (settings: LambdaSettings): Promise<Workplace> => {
  const traits = parseFunctionName(settings.functionName);
  checkFunctionVersion(traits, await ownRemotionVersion());
  const objects = openBucket(settings.bucketName, settings.region);
  return {
    settings,
    traits,
    objects,
    sites: createSiteStore({ objects, siteBaseUrl: settings.siteBaseUrl, log: settings.log }),
    afterwards: createAfterwards(settings.afterwardsMs, settings.log),
  };
};

const isStill = (spec: RenderSpec): spec is StillSpec => spec.output.kind === 'still';

/**
 * Renders with Remotion's functions on AWS Lambda. Rejects with `lambda_misconfigured` where the function cannot be ours; nothing is
 * asked of AWS before the first render.
 *
 * A video goes on at AWS when this process dies, or its caller's signal is aborted for any other reason than 'canceled': whoever renders
 * it next with `remote.before` watches it further. A worker that dies between the function's answer and `remote.save` leaves a render
 * behind that nobody finds; it ends by itself, at the latest with its function's time limit.
 */
export const createLambdaRenderer = async (options: LambdaRendererOptions): Promise<RemoteRenderer> => {
  const settings = withDefaults(options);
  const workplace = await openWorkplace(settings);
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;

  /** Says whose abort it was, and leaves nothing but RendermillErrors. */
  const work = async <T>(
    callers: AbortSignal | undefined,
    bundlePath: string,
    begin: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const signal = AbortSignal.any([closing.signal, ...(callers ? [callers] : [])]);
    try {
      if (signal.aborted) throw new RendermillError('render_canceled');
      return await begin(signal);
    } catch (error) {
      if (callers?.aborted) throw new RendermillError('render_canceled');
      if (closing.signal.aborted) throw new RendermillError('shutting_down');
      if (error instanceof RendermillError) throw error;
      throw await explain(workplace, failureOf(error), { bundlePath });
    }
  };

  const tracked = <T>(promise: Promise<T>): Promise<T> => {
    // Its failure is for whoever has the promise; here only its end counts.
    const ended = promise.catch(() => undefined).finally(() => running.delete(ended));
    running.add(ended);
    return promise;
  };

  const renderOne = (spec: RenderSpec, { signal: callers, onProgress, remote }: RenderOptions) =>
    work(
      callers,
      spec.bundlePath,
      (signal): Promise<RenderResult> =>
        isStill(spec)
          ? renderStill(workplace, spec, { signal, onProgress })
          : renderVideo(workplace, spec as VideoSpec, { signal, onProgress, remote }),
    );

  const close = async (): Promise<void> => {
    closing.abort('stopping');
    await Promise.all(running);
    await workplace.afterwards.close();
    workplace.objects.close();
  };

  return {
    mode: 'lambda',
    version: `lambda/${settings.functionName.replace('remotion-render-', '')}/${revision}`,
    render: (spec, renderOptions = {}) => tracked(renderOne(spec, renderOptions)),
    renderStills: (spec, { signal: callers, onOutcome }) =>
      tracked(
        work(callers, spec.bundlePath, (signal) =>
          renderStills(spec, {
            signal,
            onOutcome,
            atOnce: settings.stillsAtOnce,
            renderOne: (one) => renderOne(one, { signal }),
          }),
        ),
      ),
    discard: async (remote) => {
      if (closing.signal.aborted) throw new RendermillError('shutting_down');
      await tracked(discardRender(workplace, remote));
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
};
