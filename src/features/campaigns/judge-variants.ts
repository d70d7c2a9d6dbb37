/** The props of every variant against the composition's schema. */
import type { CampaignVariant } from '../../core/campaign-request.ts';
import { RendermillError } from '../../core/errors.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import { budgetText, createBatchJudge } from '../../domain/compositions/judge-batch.ts';
import type { PropsReason } from '../../domain/compositions/validate-props.ts';
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
  /** How many were judged, of all of them; fewer where the schema took more time than a request has for it. */
  readonly judged: number;
  readonly of: number;
}

const maxListed = 100;

/** Handed over at once; the check itself says how many of them it has judged. */
const variantsALook = 200;

/** Throws the signal's reason, at the next turn. */
export const judgeVariants = async (
  composition: Composition,
  variants: readonly CampaignVariant[],
  signal: AbortSignal,
): Promise<Judgement> => {
  const pause = createPause();
  const judge = createBatchJudge(composition);
  const reasons: VariantReason[] = [];
  let count = 0;
  let refused = 0;
  let judged = 0;
  const add = (variant: number, found: readonly PropsReason[]): void => {
    count += found.length;
    if (found.length > 0) refused += 1;
    const name = variants[variant]?.name ?? '';
    for (const { path, reason } of found.slice(0, maxListed - reasons.length))
      reasons.push({ variant, name, path: `variants.${variant}.${path}`, reason });
  };
  while (judged < variants.length && !judge.isSpent) {
    await pause();
    signal.throwIfAborted();
    const some = variants.slice(judged, judged + variantsALook).map(({ props }) => props);
    const found = judge.some(some);
    for (const [index, one] of found.entries()) add(judged + index, one ?? [tooSlow]);
    judged += found.length;
  }
  return { reasons, count, variants: refused, judged, of: variants.length };
};

const tooSlow: PropsReason = {
  path: 'props',
  reason: 'could not be judged in time by the schema: look for a pattern in it that backtracks without end',
};

/** Told in a sentence; the rest of the reasons are in the details. */
const maxTold = 5;

/** Undefined where every variant fits. */
export const refusalOf = (composition: Composition, judgement: Judgement): RendermillError | undefined => {
  const { count, variants, reasons, judged, of } = judgement;
  const isWhole = judged === of;
  if (count === 0 && isWhole) return undefined;
  return new RendermillError('invalid_props', {
    message: [
      ...(count === 0 ? [] : [misfitsIn(composition, judgement)]),
      ...(isWhole ? [] : [outOfTime(composition, judgement)]),
    ].join(' '),
    details: { compositionId: composition.id, variants, count, reasons, ...(isWhole ? {} : { judged }) },
  });
};

const misfitsIn = ({ id }: Composition, { reasons, count, variants }: Judgement): string => {
  const told = reasons
    .slice(0, maxTold)
    .map(({ path, name, reason }) => `${path} (${name}) ${reason}`)
    .join('; ');
  const more = count > maxTold ? `; and ${count - maxTold} more` : '';
  return `The props of ${variants} variant(s) do not fit the schema of "${id}": ${told}${more}.`;
};

const outOfTime = ({ id }: Composition, { judged, of }: Judgement): string =>
  `Only the first ${judged} of ${of} variants were judged: for one request the schema of "${id}" may take ${budgetText}. Look for a pattern in it that backtracks without end, or send fewer variants at once.`;
