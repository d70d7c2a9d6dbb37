/** What is to happen, earliest first; of the same time in the order in which it was planned (a binary heap). */
export interface EventLine {
  /** Seconds. */
  now(): number;
  at(seconds: number, happen: () => void): void;
  /** Until nothing is planned any more. */
  run(): void;
}

interface Planned {
  readonly at: number;
  readonly turn: number;
  readonly happen: () => void;
}

const comesBefore = (a: Planned, b: Planned): boolean => (a.at === b.at ? a.turn < b.turn : a.at < b.at);

export const createEventLine = (): EventLine => {
  const heap: Planned[] = [];
  let now = 0;
  let turns = 0;

  const swapIfBefore = (child: number, parent: number): boolean => {
    const [a, b] = [heap[child], heap[parent]];
    if (!a || !b || !comesBefore(a, b)) return false;
    heap[parent] = a;
    heap[child] = b;
    return true;
  };
  const rise = (from: number): void => {
    const parent = (from - 1) >> 1;
    if (from > 0 && swapIfBefore(from, parent)) rise(parent);
  };
  const sink = (from: number): void => {
    const [left, right] = [2 * from + 1, 2 * from + 2];
    const [a, b] = [heap[left], heap[right]];
    const least = a && b && comesBefore(b, a) ? right : left;
    if (swapIfBefore(least, from)) sink(least);
  };
  const takeFirst = (): Planned | undefined => {
    const [first] = heap;
    const last = heap.pop();
    if (first && last && heap.length > 0) {
      heap[0] = last;
      sink(0);
    }
    return first;
  };

  return {
    now: () => now,
    at: (seconds, happen) => {
      heap.push({ at: Math.max(now, seconds), turn: turns++, happen });
      rise(heap.length - 1);
    },
    run: () => {
      for (let next = takeFirst(); next; next = takeFirst()) {
        now = next.at;
        next.happen();
      }
    },
  };
};
