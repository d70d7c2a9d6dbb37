import type { Usage } from './estimate.ts';
import { type AwsRegion, loadRemotionClient } from './remotion-lambda.ts';

export interface Pricing {
  readonly region: AwsRegion;
  readonly memoryMb: number;
  readonly diskMb: number;
}

/** US dollars, in the regions of China yuan; from prices that are part of the package, without asking AWS. */
export const priceOf = async (
  { region, memoryMb, diskMb }: Pricing,
  { billedMs, invocations }: Usage,
): Promise<number> => {
  const { estimatePrice } = await loadRemotionClient();
  return estimatePrice({
    region,
    memorySizeInMb: memoryMb,
    diskSizeInMb: diskMb,
    durationInMilliseconds: billedMs,
    lambdasInvoked: invocations,
  });
};
