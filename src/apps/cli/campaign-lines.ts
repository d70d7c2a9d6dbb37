/** What a person reads of a campaign in a terminal; without what draws it. */
import type {
  CampaignFailure,
  CampaignMessage,
  CampaignPlan,
  CampaignProgress,
  GeneratedCampaign,
} from '../../client/campaign-types.ts';
import { formatTable } from './table.ts';

const width = 24;

const timeLeft = ({ secondsLeft }: CampaignProgress): string =>
  secondsLeft === null || secondsLeft === 0 ? '' : `  ${secondsLeft} s left`;

/** One line. */
export const formatCampaignProgress = (message: CampaignMessage): string => {
  if (message.type === 'status') return message.status;
  const { done, total, failed, cached } = message;
  const filled = Math.round((done / total) * width);
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
  const notes = [failed > 0 ? `${failed} failed` : '', cached > 0 ? `${cached} reused` : ''].filter(Boolean);
  return `${bar} ${done}/${total}${notes.length > 0 ? `  ${notes.join(', ')}` : ''}${timeLeft(message)}`;
};

/** More fill a screen and say no more; --json has them all. */
const maxShown = 20;

const rowOf = ({ variant, locale, size, error }: CampaignFailure) => ({
  variant,
  locale: locale ?? '',
  size,
  code: error.code,
  reason: error.message,
});

export const formatFailures = (failures: readonly CampaignFailure[]): string => {
  const more = failures.length - maxShown;
  return [
    formatTable(failures.slice(0, maxShown).map(rowOf)),
    ...(more > 0 ? [`… and ${more} more: see --json`] : []),
  ].join('\n');
};

export const formatOutcome = ({ batchId, totalRendered, outputs, failures }: GeneratedCampaign): string => {
  const reused = outputs.filter((output) => output.cached).length;
  const parts = [
    `${totalRendered} file(s)`,
    ...(reused > 0 ? [`${reused} of them reused`] : []),
    ...(failures.length > 0 ? [`${failures.length} without`] : []),
  ];
  return `Campaign ${batchId}: ${parts.join(', ')}`;
};

const count = (value: number | null): string => (value === null ? 'no limit' : String(value));

const costOf = ({ estimateCost }: CampaignPlan): string =>
  estimateCost === null ? '' : `, about $${estimateCost.toPrecision(2)} at AWS`;

const unknownTime = ({ renderSlots, renderMode }: CampaignPlan): string =>
  renderSlots === 0
    ? `not known: no worker is live that renders in the mode ${renderMode}`
    : `not known: ${renderSlots} at once on Lambda, where too little was rendered of it yet; estimated after the first cells`;

const estimateOf = (plan: CampaignPlan): string => {
  const { estimateSeconds, estimateBasis, renderSlots } = plan;
  return estimateSeconds === null
    ? unknownTime(plan)
    : `about ${estimateSeconds} s on ${renderSlots} slot(s), ${estimateBasis === 'measured' ? 'as measured of earlier ones' : 'a first guess'}${costOf(plan)}`;
};

export const formatPlan = (plan: CampaignPlan): string =>
  [
    `${plan.compositionId} ${plan.version}: ${plan.variants} variant(s) × ${plan.sizes.length} size(s) = ${plan.cells} cell(s)`,
    `  limit      ${count(plan.now.remaining)} left of ${count(plan.now.limit)} today (${plan.tier}), ${count(plan.after.remaining)} afterwards`,
    ...(plan.credits.needed > 0
      ? [`  credits    ${plan.credits.needed} needed, ${plan.credits.balance} there`]
      : []),
    `  reusable   ${plan.reusable ?? 'not known yet'}`,
    `  time       ${estimateOf(plan)}`,
    plan.wouldBeAccepted ? 'It would be accepted.' : 'It would be refused:',
    ...plan.refusals.map(({ code, message }) => `  ${code}: ${message}`),
  ].join('\n');
