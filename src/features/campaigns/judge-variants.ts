/** The props of every variant against the composition's schema. */
import type { CampaignVariant } from '../../core/campaign-request.ts';
import { RendermillError } from '../../core/errors.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import { judgeSomeProps, type PropsReason } from '../../domain/compositions/validate-props.ts';
import { createPause } from '../../platform/clock/pause.ts';

export interface VariantReason extends PropsReason {
  /** Position in the request, from 0. */
  readonly variant: number;
  readonly name: string;
}

export interface Judgement {
  /** The first hundred. */
  readonly reasons: readonly VariantReason[];
  /** How many there are, listed or not. */
  readonly count: number;
  /** How many variants have any. */
  readonly variants: number;
}

const maxListed = 100;
/** A schema that cannot judge in time holds everybody up each time: enough is enough. */
const maxUnjudged = 3;

/** Handed over at once; the check itself says how many of them it has judged. */
const variantsALook = 200;

export const judgeVariants = async (
  composition: Composition,
  variants: readonly CampaignVariant[],
): Promise<Judgement> => {
  const pause = createPause();
  const reasons: VariantReason[] = [];
  let count = 0;
  let refused = 0;
  let unjudged = 0;
  const add = (variant: number, found: readonly PropsReason[] | null): void => {
    if (found === null) unjudged += 1;
    const listed = found ?? [tooSlow];
    count += listed.length;
    if (listed.length > 0) refused += 1;
    const name = variants[variant]?.name ?? '';
    for (const { path, reason } of listed.slice(0, maxListed - reasons.length))
      reasons.push({ variant, name, path: `variants.${variant}.${path}`, reason });
  };
  for (let from = 0; from < variants.length && unjudged < maxUnjudged; ) {
    await pause();
    const some = variants.slice(from, from + variantsALook).map(({ props }) => props);
    const found = judgeSomeProps(composition, some);
    for (const [index, one] of found.entries()) add(from + index, one);
    from += found.length;
  }
  return { reasons, count, variants: refused };
};

const tooSlow: PropsReason = {
  path: 'props',
  reason: 'could not be judged in time by the schema: look for a pattern in it that backtracks without end',
};

/** Told in a sentence; the rest of the reasons are in the details. */
const maxTold = 5;

/** Undefined where every variant fits. */
export const refusalOf = (composition: Composition, judgement: Judgement): RendermillError | undefined => {
  if (judgement.count === 0) return undefined;
  const told = judgement.reasons
    .slice(0, maxTold)
    .map(({ path, name, reason }) => `${path} (${name}) ${reason}`)
    .join('; ');
  const more = judgement.count > maxTold ? `; and ${judgement.count - maxTold} more` : '';
  return new RendermillError('invalid_props', {
    message: `The props of ${judgement.variants} variant(s) do not fit the schema of "${composition.id}": ${told}${more}.`,
    details: {
      compositionId: composition.id,
      variants: judgement.variants,
      count: judgement.count,
      reasons: judgement.reasons,
    },
  });
};
