/**
 * Counts of one process, as the plugin asks for them. Its own store goes by the clock on the wall: set back by an hour, that would
 * lock out for an hour whoever has used up a minute.
 */

/** Whole milliseconds that only ever grow, whatever the clock on the wall is set to. */
export const steadyMs = (): number => Math.floor(performance.now());

interface Counted {
  count: number;
  readonly endsAt: number;
}

interface Answer {
  readonly current: number;
  /** Milliseconds until the count begins anew; 0: nothing is counted. */
  readonly ttl: number;
}

type Told = (error: Error | null, answer: Answer) => void;

/** Keys that one limit counts; with more, those that were quiet for longest are forgotten. */
const mostCounted = 50_000;

export class LocalCounts {
  readonly #counts = new Map<string, Counted>();

  incr(key: string, tell: Told, windowMs: number): void {
    const now = steadyMs();
    const before = this.#counts.get(key);
    const counted =
      before !== undefined && before.endsAt > now ? before : { count: 0, endsAt: now + windowMs };
    counted.count += 1;
    // Behind all others: the first is the one that was quiet for longest.
    this.#counts.delete(key);
    const quietest = this.#counts.keys().next();
    if (this.#counts.size >= mostCounted && !quietest.done) this.#counts.delete(quietest.value);
    this.#counts.set(key, counted);
    tell(null, { current: counted.count, ttl: counted.endsAt - now });
  }

  read(key: string, tell: Told): void {
    const now = steadyMs();
    const counted = this.#counts.get(key);
    if (counted === undefined || counted.endsAt <= now) tell(null, { current: 0, ttl: 0 });
    else tell(null, { current: counted.count, ttl: counted.endsAt - now });
  }

  /** Of a limit of its own. */
  child(): LocalCounts {
    return new LocalCounts();
  }
}
