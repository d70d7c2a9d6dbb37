import { getCompositionsOnLambda } from '@remotion/lambda-client';
import { RendermillError } from '../../../core/errors.ts';
import type { RenderSpec } from '../contract.ts';
import type { ResolvedComposition } from '../local/child/plan-render.ts';
import { delayRenderTimeoutOf } from './options.ts';
import { measureVariable } from './site/measure-hook.ts';
import type { Site } from './site/site-store.ts';
import { functionOf, type Workplace } from './workplace.ts';

/**
 * The composition after its calculateMetadata, as a function resolves it. A video is measured before it is begun: the progress of a
 * render never tells its frames per second, so nothing else keeps the limit of its seconds, and what is refused costs one short
 * invocation instead of all. Rejects with what Remotion's client throws.
 */
export const measureComposition = async (
  workplace: Workplace,
  site: Site,
  spec: Pick<RenderSpec, 'compositionId' | 'inputProps'>,
): Promise<ResolvedComposition> => {
  const [composition] = await getCompositionsOnLambda({
    ...functionOf(workplace),
    serveUrl: site.serveUrl,
    inputProps: { ...spec.inputProps },
    envVariables: { [measureVariable]: spec.compositionId },
    timeoutInMilliseconds: delayRenderTimeoutOf(
      workplace.settings.delayRenderTimeoutMs,
      workplace.traits.timeoutSeconds,
    ),
  });
  if (composition === undefined) throw new RendermillError('render_failed');
  return composition;
};
