/** A day of orders on one AWS account, under a policy. */
import { createAccount } from './account.ts';
import type { EventLine } from './event-line.ts';
import type { Order } from './mixed-day.ts';
import type { Grant, Policy } from './policies.ts';
import { noticeSeconds, type RenderCost, type RenderEnd, renderOnAccount } from './render-on-account.ts';

export interface Day {
  /** Seconds from the order to its file, sorted: of videos and stills that someone waits for. */
  readonly videoSeconds: readonly number[];
  readonly stillSeconds: readonly number[];
  /** Seconds from a campaign's order to its last file, sorted. */
  readonly campaignSeconds: readonly number[];
  readonly completed: number;
  /** Renders that ended because AWS refused one of their functions. */
  readonly lost: number;
  /** Calls that AWS refused before anything was begun. */
  readonly refused: number;
  /** Orders that would have failed for good with three attempts. */
  readonly lostThrice: number;
  readonly functionSeconds: number;
  /** Of renders that were lost. */
  readonly wastedSeconds: number;
  readonly peak: number;
}

interface Waiting {
  readonly order: Order;
  lost: number;
  refused: number;
}

/** Between a refusal for want of room and the next question. */
const askAgainSeconds = 1;

const backoff = (chance: () => number, tries: number): number => chance() * Math.min(60, 2 ** tries);

const sorted = (numbers: Iterable<number>): number[] => [...numbers].toSorted((a, b) => a - b);

/** A queue of each urgency, as they came. Taking from the front of a long array would be slow. */
const createQueue = () => {
  const waiting: Waiting[] = [];
  let taken = 0;
  return {
    add: (one: Waiting) => {
      waiting.push(one);
    },
    head: (): Waiting | undefined => waiting[taken],
    drop: () => {
      taken += 1;
    },
    mayAskAt: 0,
  };
};

export const simulateDay = (given: {
  readonly line: EventLine;
  readonly orders: readonly Order[];
  readonly policy: Policy;
  readonly chance: () => number;
  readonly slotsAt: (seconds: number) => number;
}): Day => {
  const { line, policy, chance } = given;
  const account = createAccount(line, chance, given.slotsAt);
  const world = { line, account, chance };
  const queues = { interactive: createQueue(), batch: createQueue() };
  const seconds = { video: [] as number[], still: [] as number[] };
  const campaigns = new Map<number, number>();
  const wasted: RenderCost[] = [];
  const totals = { completed: 0, lost: 0, refused: 0, lostThrice: 0 };
  let watched = 0;

  const complete = ({ order }: Waiting): void => {
    totals.completed += 1;
    const took = line.now() - order.arrivesAt;
    if (order.campaign === null) seconds[order.kind].push(took);
    else campaigns.set(order.campaign, Math.max(took, campaigns.get(order.campaign) ?? 0));
  };

  const comeBack = (one: Waiting, tries: number): void => {
    line.at(line.now() + backoff(chance, tries), () => {
      queues[one.order.urgency].add(one);
      pump();
    });
  };

  const onEnd = (one: Waiting, grant: Grant, cost: RenderCost | undefined, end: RenderEnd): void => {
    watched -= 1;
    grant.release();
    if (end.type === 'done') complete(one);
    else policy.throttled();
    if (end.type === 'refused') {
      totals.refused += 1;
      one.refused += 1;
      comeBack(one, one.refused);
    }
    if (end.type === 'lost') {
      totals.lost += 1;
      one.lost += 1;
      if (one.lost === 3) totals.lostThrice += 1;
      if (cost) wasted.push(cost);
      comeBack(one, one.lost + 2);
    }
    pump();
  };

  const start = (one: Waiting, grant: Grant): void => {
    watched += 1;
    let cost: RenderCost | undefined;
    const notice = (end: RenderEnd): void => {
      const isKnownAtOnce = end.type === 'refused' || one.order.kind === 'still';
      line.at(line.now() + (isKnownAtOnce ? 0 : noticeSeconds(chance)), () => onEnd(one, grant, cost, end));
    };
    cost = renderOnAccount(world, one.order, grant.functions, notice);
  };

  const startNext = (urgency: 'interactive' | 'batch'): boolean => {
    const queue = queues[urgency];
    const one = queue.head();
    if (!one || watched >= policy.watchers || queue.mayAskAt > line.now()) return false;
    const grant = policy.acquire(one.order);
    if (grant === null) {
      queue.mayAskAt = line.now() + askAgainSeconds;
      line.at(queue.mayAskAt, pump);
      return false;
    }
    queue.drop();
    start(one, grant);
    return true;
  };

  const pump = (): void => {
    while (startNext('interactive') || startNext('batch'));
  };

  for (const order of given.orders) {
    line.at(order.arrivesAt, () => {
      queues[order.urgency].add({ order, lost: 0, refused: 0 });
      pump();
    });
  }
  line.run();
  return {
    ...totals,
    videoSeconds: sorted(seconds.video),
    stillSeconds: sorted(seconds.still),
    campaignSeconds: sorted(campaigns.values()),
    functionSeconds: account.totals.seconds,
    wastedSeconds: wasted.reduce((sum, one) => sum + one.seconds, 0),
    peak: account.totals.peak,
  };
};
