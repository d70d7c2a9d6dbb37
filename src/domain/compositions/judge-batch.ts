/** The schema's judgement of the props of a whole batch: for one request, within a budget of the processor's time. */
import type { Composition } from './find-compositions.ts';
import { judgeProps, judgeSomeProps, type PropsReason } from './validate-props.ts';

type Props = Readonly<Record<string, unknown>>;

/**
 * Milliseconds of the processor. A value that takes nearly its deadline and misfits is refused each time and holds everybody up each
 * time; an ordinary schema of ten props takes about 0.02 ms of each, so 100,000 take a fifth of what they may.
 */
const budgetMs = 1_000;
const budgetMsEach = 0.1;

export const budgetText = `${budgetMs} ms of processor time, and ${budgetMsEach} ms more for each that it has judged`;

export interface BatchJudge {
  /** Nothing more may be judged. */
  readonly isSpent: boolean;
  /** As `judgeSomeProps`. */
  some(many: readonly Props[]): readonly (readonly PropsReason[] | null)[];
  /** As `judgeProps`. */
  one(props: Props): readonly PropsReason[];
}

/** The wall clock counts what others do on a crowded machine, the processor's what other threads of this process do. */
const startWatch = (): (() => number) => {
  const began = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - began, (user + system) / 1_000);
  };
};

export const createBatchJudge = (composition: Composition): BatchJudge => {
  let leftMs = budgetMs;
  const timed = <T>(judge: () => T): T => {
    const elapsedMs = startWatch();
    try {
      return judge();
    } finally {
      leftMs -= elapsedMs();
    }
  };
  return {
    get isSpent() {
      return leftMs <= 0;
    },
    some: (many) => {
      const answers = timed(() => judgeSomeProps(composition, many));
      leftMs += answers.length * budgetMsEach;
      return answers;
    },
    one: (props) => timed(() => judgeProps(composition, props)),
  };
};
