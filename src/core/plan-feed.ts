/**
 * Which jobs the queue is given next. Fair between organizations: the one with the fewest jobs in flight comes first, so that
 * 10,000 waiting renders of one do not hold up another's single one. Stills of a batch that differ in props alone go together:
 * a picture of many costs a fraction of one that is rendered alone.
 */

export interface WaitingExport {
  readonly id: string;
  readonly organizationId: string;
  readonly createdAt: Date;
  /** Exports of one key may be rendered together; null: alone. */
  readonly groupKey: string | null;
  /** Starts that came to nothing, and attempts that failed, of this export so far. */
  readonly setbacks: number;
}

export interface PlannedJob {
  readonly exportIds: readonly string[];
  /** May be rendered in one page with others of its kind, even where there is only one. */
  readonly isGroup: boolean;
}

/** About ten seconds of pictures: more would make a lost worker dear and hold up everybody else's next one. */
export const maxGroup = 50;
/** Fewer are not worth a page of their own, which costs about as much as four pictures. */
const minGroup = 8;
/** After so many setbacks it is rendered in the plain way, alone. */
const patience = 2;
/** After one setback, so that a poisonous cell is soon alone. */
const cautiousGroup = 8;

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

interface Line {
  readonly organizationId: string;
  /** In the order in which they are to run. */
  readonly waiting: WaitingExport[];
  inFlight: number;
}

const comesBefore = (a: Line, b: Line): boolean => {
  if (a.inFlight !== b.inFlight) return a.inFlight < b.inFlight;
  const [left, right] = [a.waiting[0], b.waiting[0]];
  const byAge = (left?.createdAt.getTime() ?? 0) - (right?.createdAt.getTime() ?? 0);
  return byAge === 0 ? (left?.id ?? '') < (right?.id ?? '') : byAge < 0;
};

const takeJob = (line: Line, slots: number): PlannedJob => {
  const [head] = line.waiting;
  if (!head) return { exportIds: [], isGroup: false };
  const alike = (one: WaitingExport): boolean =>
    one.groupKey !== null && one.groupKey === head.groupKey && one.setbacks === head.setbacks;
  const groupable = line.waiting.filter((one) => one.groupKey !== null).length;
  const candidates = [head, ...line.waiting.filter((one) => one !== head && alike(one))];
  const share = head.groupKey === null ? 1 : groupSize(groupable, slots, head.setbacks);
  const size = head.setbacks === 0 ? withoutCrumbs(share, candidates.length) : share;
  const taken = new Set(candidates.slice(0, size));
  const rest = line.waiting.filter((one) => !taken.has(one));
  line.waiting.splice(0, line.waiting.length, ...rest);
  line.inFlight += 1;
  const isGroup = head.groupKey !== null && head.setbacks < patience;
  return { exportIds: [...taken].map((one) => one.id), isGroup };
};

/**
 * At most `room` jobs. `waiting` holds the heads of each organization's line, in the order in which they are to run; `inFlight`
 * the jobs that an organization has in the queue or at a worker; `slots` what all workers can render at once.
 */
export const planFeed = (given: {
  readonly waiting: readonly WaitingExport[];
  readonly inFlight: ReadonlyMap<string, number>;
  readonly room: number;
  readonly slots: number;
}): PlannedJob[] => {
  const lines = new Map<string, Line>();
  for (const one of given.waiting) {
    const line = lines.get(one.organizationId) ?? {
      organizationId: one.organizationId,
      waiting: [],
      inFlight: given.inFlight.get(one.organizationId) ?? 0,
    };
    line.waiting.push(one);
    lines.set(one.organizationId, line);
  }
  const jobs: PlannedJob[] = [];
  while (jobs.length < given.room) {
    const open = [...lines.values()].filter((line) => line.waiting.length > 0);
    const [first, ...others] = open;
    if (!first) break;
    jobs.push(
      takeJob(
        others.reduce((best, line) => (comesBefore(line, best) ? line : best), first),
        given.slots,
      ),
    );
  }
  return jobs;
};
