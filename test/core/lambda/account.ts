/** An AWS account as a render sees it: so many functions at once, and a refusal for the next one. */
import type { EventLine } from './event-line.ts';

export interface RunningFunction {
  /** Seconds until its code runs: a cold start is long. */
  readonly startSeconds: number;
  /** Returns the seconds that it ran. */
  end(): number;
}

export interface Account {
  /** Null: throttled. */
  invoke(): RunningFunction | null;
  readonly totals: { peak: number; seconds: number; throttled: number };
}

/** Seconds that an idle function stays warm. */
const staysWarm = 420;

export const createAccount = (
  line: EventLine,
  chance: () => number,
  /** What others leave of it at that second of the day. */
  slotsAt: (seconds: number) => number,
): Account => {
  const totals = { peak: 0, seconds: 0, throttled: 0 };
  const idleSince: number[] = [];
  let running = 0;
  const startSeconds = (): number => {
    const since = idleSince.pop();
    return since !== undefined && line.now() - since < staysWarm ? 0.05 : 0.7 + 0.6 * chance();
  };
  return {
    totals,
    invoke: () => {
      if (running >= slotsAt(line.now())) {
        totals.throttled += 1;
        return null;
      }
      running += 1;
      totals.peak = Math.max(totals.peak, running);
      const begun = line.now();
      return {
        startSeconds: startSeconds(),
        end: () => {
          running -= 1;
          idleSince.push(line.now());
          totals.seconds += line.now() - begun;
          return line.now() - begun;
        },
      };
    },
  };
};
