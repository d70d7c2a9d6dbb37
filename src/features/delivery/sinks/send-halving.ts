import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { RequestOutcome } from '../../../core/delivery/request-outcome.ts';
import { attemptMs } from './sink.ts';

/** A request may take so long … */
export const requestMs = 9_500;
/** … if it begins this early in a call of `deliver`: what remains is for reading the answer and for recording it. */
const lastStartMs = attemptMs - requestMs - 1_500;

type Rejection = Extract<RequestOutcome, { type: 'rejected' }>;

interface Part<Item> {
  readonly items: readonly Item[];
  /** It was refused together with others. */
  readonly rejection?: Rejection;
}

export interface Halving<Item> {
  /** One request each, in this order. */
  readonly parts: readonly (readonly Item[])[];
  send(items: readonly Item[]): Promise<RequestOutcome>;
  readonly signal: AbortSignal;
}

/**
 * For a server that takes or refuses a request as a whole: a part that is refused is cut in two and sent again, until what it
 * does not want stands alone. N events with one poisonous among them cost about 2 log2 N requests more. After the first answer
 * that says nothing of the events (away, busy) nothing more is tried.
 */
export const sendHalving = async <Item>({
  parts,
  send,
  signal,
}: Halving<Item>): Promise<ReadonlyMap<Item, Verdict>> => {
  const startedAt = performance.now();
  const verdicts = new Map<Item, Verdict>();
  const settle = (items: readonly Item[], verdict: Verdict): void => {
    for (const item of items) verdicts.set(item, verdict);
  };
  const waiting: Part<Item>[] = parts.map((items) => ({ items })).toReversed();
  let stopped = false;
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (stopped || signal.aborted) settle(part.items, { type: 'postponed' });
    else if (performance.now() - startedAt > lastStartMs) settle(part.items, outOfTime(part));
    else {
      const outcome = await send(part.items);
      if (outcome.type === 'rejected' && part.items.length > 1) {
        waiting.push(...halves(part.items, outcome));
      } else {
        settle(part.items, verdictOf(outcome));
        stopped = outcome.type === 'unavailable' || outcome.type === 'postponed';
      }
    }
  }
  return verdicts;
};

/** The second half first: the next one is taken from the end. */
const halves = <Item>(items: readonly Item[], rejection: Rejection): readonly Part<Item>[] => {
  const middle = Math.ceil(items.length / 2);
  return [
    { items: items.slice(middle), rejection },
    { items: items.slice(0, middle), rejection },
  ];
};

/** Were all of a refused part postponed, the next call would do the same again, and none would ever come to an end. */
const outOfTime = <Item>({ items, rejection }: Part<Item>): Verdict => {
  if (rejection === undefined) return { type: 'postponed' };
  const { status, response } = rejection;
  const error = `${rejection.error}, together with ${items.length - 1} others; there was no time left to tell which it means`;
  return { type: 'refused', error, final: false, status, response };
};

const verdictOf = (outcome: RequestOutcome): Verdict => {
  if (outcome.type === 'accepted') {
    return { type: 'delivered', status: outcome.status, response: outcome.response };
  }
  if (outcome.type !== 'rejected') return outcome;
  const { error, final, status, response } = outcome;
  return { type: 'refused', error, final, status, response };
};
