import { AWS_REGIONS, type AwsRegion } from '@remotion/lambda-client/regions';
import { RendermillError } from '../../../core/errors.ts';
import type { Clock } from '../../clock/clock.ts';
import type { Logger } from '../../log/log.ts';
import type { SlotBudget } from './slot-budget.ts';

export interface LambdaRendererOptions {
  readonly region: string;
  /** Named by Remotion's convention, of this service's own Remotion version. */
  readonly functionName: string;
  /** Of sites, progress and output. Its policy opens `sites/` and nothing else. */
  readonly bucketName: string;
  readonly budget: SlotBudget;
  /** Where functions reach the root of the bucket, without a slash at the end. Default: its address at AWS. */
  readonly siteBaseUrl?: string;
  /** Between two looks at a render's progress: it and up to twice of it, at random. Default 1,000. */
  readonly pollMs?: number;
  /** A render that says nothing for so long has died silently. Must exceed `delayRenderTimeoutMs`. Default 60,000. */
  readonly launchWatchdogMs?: number;
  /** How long a composition may hold a frame with delayRender(). At least 7,000, Remotion's own minimum. Default 30,000. */
  readonly delayRenderTimeoutMs?: number;
  /** Stills at once of one `renderStills`. Default 50. */
  readonly stillsAtOnce?: number;
  /** How long after a failure its functions are given to hear of it, before their objects are removed. Default 5,000. */
  readonly afterwardsMs?: number;
  /** Told the end of each video, signed with the secret: a hint only. */
  readonly webhook?: { readonly url: string; readonly secret: string };
  /** Calls `wake` whenever somebody has heard of this render, until the function that it returns is called. */
  readonly onHint?: (renderId: string, wake: () => void) => () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

type Optional = 'webhook' | 'onHint';

export type LambdaSettings = Required<Omit<LambdaRendererOptions, Optional | 'region'>> &
  Pick<LambdaRendererOptions, Optional> & { readonly region: AwsRegion };

const regionNamed = (name: string): AwsRegion => {
  const region = AWS_REGIONS.find((known) => known === name);
  if (region !== undefined) return region;
  throw new RendermillError('lambda_misconfigured', {
    message: `LAMBDA_REGION: Remotion does not render in "${name}". One of: ${AWS_REGIONS.join(', ')}`,
  });
};

const siteBaseUrl = (bucketName: string, region: AwsRegion): string =>
  `https://${bucketName}.s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

export const withDefaults = (options: LambdaRendererOptions): LambdaSettings => {
  const region = regionNamed(options.region);
  return {
    siteBaseUrl: siteBaseUrl(options.bucketName, region),
    pollMs: 1_000,
    launchWatchdogMs: 60_000,
    delayRenderTimeoutMs: 30_000,
    stillsAtOnce: 50,
    afterwardsMs: 5_000,
    ...options,
    region,
  };
};

/** Remotion refuses less. */
const minDelayMs = 7_000;

/**
 * What Remotion is told for `timeoutInMilliseconds`. A launch function lowers it to half of its remaining life: more than that would only
 * move a page's error behind the function's own end.
 */
export const delayRenderTimeoutOf = (askedMs: number, functionTimeoutSeconds: number): number =>
  Math.max(minDelayMs, Math.min(askedMs, (functionTimeoutSeconds * 1_000) / 2));
