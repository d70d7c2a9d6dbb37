import { estimatePrice } from '@remotion/lambda-client';
import type { Workplace } from './workplace.ts';

/** US dollars for one function that ran so long; null where AWS bills in another currency. */
export const priceOf = ({ settings: { region }, traits }: Workplace, ms: number): number | null =>
  region.startsWith('cn-')
    ? null
    : estimatePrice({
        region,
        memorySizeInMb: traits.memoryMb,
        diskSizeInMb: traits.diskMb,
        durationInMilliseconds: Math.max(1, Math.round(ms)),
        lambdasInvoked: 1,
      });
