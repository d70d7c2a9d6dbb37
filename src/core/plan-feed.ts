/**
 * Which jobs the queue is given next. Fair between organizations: the one with the fewest jobs in flight comes first, so that
 * 10,000 waiting renders of one do not hold up another's single one. Stills of a batch that differ in props alone go together:
 * a picture of many costs a fraction of one that is rendered alone.
 */
import type { TierName } from './tiers.ts';

export interface WaitingWork {
  readonly kind: 'export' | 'chunk';
  readonly id: string;
  readonly organizationId: string;
  readonly tier: TierName;
  /** Someone waits for it by itself; it goes before what belongs to a batch. */
  readonly isInteractive: boolean;
  readonly createdAt: Date;
  /** Exports of one key may be rendered together; null: alone. */
  readonly groupKey: string | null;
  /** Starts that came to nothing, and attempts that failed, of it so far. */
  readonly setbacks: number;
}

/** Jobs of an organization's tier that are in the queue or at a worker. */
export interface InFlight {
  readonly organizationId: string;
  readonly tier: TierName;
  readonly isInteractive: boolean;
  readonly jobs: number;
}

export interface PlannedJob {
  readonly kind: 'export' | 'chunk';
  readonly ids: readonly string[];
  /** May be rendered in one page with others of its kind, even where there is only one. */
  readonly isGroup: boolean;
  /** For the queue; lower runs first. */
  readonly priority: number;
}

/** About ten seconds of pictures: more would make a lost worker dear and hold up everybody else's next one. */
export const maxGroup = 50;
/** Fewer are not worth a page of their own, which costs about as much as four pictures. */
const minGroup = 8;
/** After so many setbacks it is rendered in the plain way, alone. */
const patience = 2;
/** After one setback, so that a poisonous cell is soon alone. */
const cautiousGroup = 8;
/** Beyond it the order in the queue is of no interest any more. */
const maxRank = 100_000;

/**
 * So many that the slots end together: each slot's share of what is left, which is large in the beginning and small at the end
 * (guided self-scheduling, Polychronopoulos and Kuck 1987).
 */
export const groupSize = (waiting: number, slots: number, setbacks: number): number => {
  if (setbacks >= patience) return 1;
  const fair = Math.ceil(waiting / Math.max(1, slots));
  const size = Math.min(maxGroup, Math.max(minGroup, fair));
  return setbacks === 1 ? Math.min(size, cautiousGroup) : size;
};

/** What would be left over is too little for a page of its own: it goes along. */
const withoutCrumbs = (size: number, candidates: number): number =>
  size > 1 && candidates > size && candidates - size < minGroup ? Math.min(candidates, maxGroup) : size;

/** Null: no cap. */
export type CapOf = (organizationId: string, tier: TierName) => number | null;

/** One organization's waiting work, in the order in which it is to run, and what it has in flight. */
class Line {
  readonly #waiting: WaitingWork[] = [];
  readonly #byTier = new Map<TierName, number>();
  readonly #capOf: (tier: TierName) => number | null;
  jobs = 0;
  interactiveJobs = 0;

  constructor(capOf: (tier: TierName) => number | null) {
    this.#capOf = capOf;
  }

  push(work: WaitingWork): void {
    this.#waiting.push(work);
  }

  count(tier: TierName, isInteractive: boolean, jobs: number): void {
    this.jobs += jobs;
    if (isInteractive) this.interactiveJobs += jobs;
    this.#byTier.set(tier, (this.#byTier.get(tier) ?? 0) + jobs);
  }

  /** The first whose tier is below its cap. */
  head(): WaitingWork | undefined {
    return this.#waiting.find(({ tier }) => {
      const cap = this.#capOf(tier);
      return cap === null || (this.#byTier.get(tier) ?? 0) < cap;
    });
  }

  /** How many of its like are before it: of all for what belongs to a batch, of other interactive ones for what does not. */
  rankOf(work: WaitingWork): number {
    return work.isInteractive ? this.interactiveJobs : this.jobs;
  }

  take(head: WaitingWork, slots: number): PlannedJob {
    const rank = Math.min(maxRank, this.rankOf(head));
    // The first of a batch goes with the others' first ones: behind all that is interactive it would wait for ever.
    const priority = 2 * rank + (head.isInteractive || rank === 0 ? 0 : 1);
    const taken = this.#together(head, slots);
    const rest = this.#waiting.filter((one) => !taken.has(one));
    this.#waiting.splice(0, this.#waiting.length, ...rest);
    this.count(head.tier, head.isInteractive, 1);
    return {
      kind: head.kind,
      ids: [...taken].map((one) => one.id),
      isGroup: head.groupKey !== null && head.setbacks < patience,
      priority,
    };
  }

  #together(head: WaitingWork, slots: number): ReadonlySet<WaitingWork> {
    if (head.groupKey === null) return new Set([head]);
    const candidates = [head, ...this.#waiting.filter((one) => one !== head && isAlike(one, head))];
    const groupable = this.#waiting.filter((one) => one.groupKey !== null).length;
    const share = groupSize(groupable, slots, head.setbacks);
    const size = head.setbacks === 0 ? withoutCrumbs(share, candidates.length) : share;
    return new Set(candidates.slice(0, size));
  }
}

const isAlike = (one: WaitingWork, head: WaitingWork): boolean =>
  one.groupKey === head.groupKey && one.setbacks === head.setbacks && one.tier === head.tier;

interface Candidate {
  readonly line: Line;
  readonly head: WaitingWork;
}

const comesBefore = (a: Candidate, b: Candidate): boolean => {
  if (a.line.jobs !== b.line.jobs) return a.line.jobs < b.line.jobs;
  const byAge = a.head.createdAt.getTime() - b.head.createdAt.getTime();
  return byAge === 0 ? a.head.id < b.head.id : byAge < 0;
};

const first = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.reduce<Candidate | undefined>(
    (best, one) => (best === undefined || comesBefore(one, best) ? one : best),
    undefined,
  );

const linesOf = (
  waiting: readonly WaitingWork[],
  inFlight: readonly InFlight[],
  capOf: CapOf,
): readonly Line[] => {
  const lines = new Map<string, Line>();
  for (const one of waiting) {
    const line = lines.get(one.organizationId) ?? new Line((tier) => capOf(one.organizationId, tier));
    line.push(one);
    lines.set(one.organizationId, line);
  }
  for (const { organizationId, tier, isInteractive, jobs } of inFlight) {
    lines.get(organizationId)?.count(tier, isInteractive, jobs);
  }
  return [...lines.values()];
};

/**
 * At most `room` jobs, and `express` more of those that nothing of their organization goes before (its first job, or its first
 * interactive one): a queue that is full of another's work must not keep them waiting for its end. `waiting` holds the heads of each
 * organization's line, in the order in which they are to run; `slots` is what all workers can render at once.
 */
export const planFeed = (given: {
  readonly waiting: readonly WaitingWork[];
  readonly inFlight: readonly InFlight[];
  readonly capOf: CapOf;
  readonly room: number;
  readonly express: number;
  readonly slots: number;
}): PlannedJob[] => {
  const lines = linesOf(given.waiting, given.inFlight, given.capOf);
  const jobs: PlannedJob[] = [];
  while (jobs.length < given.room + given.express) {
    const open = lines.flatMap((line) => {
      const head = line.head();
      return head === undefined ? [] : [{ line, head }];
    });
    const chosen = first(
      jobs.length < given.room ? open : open.filter(({ line, head }) => line.rankOf(head) === 0),
    );
    if (!chosen) break;
    jobs.push(chosen.line.take(chosen.head, given.slots));
  }
  return jobs;
};
