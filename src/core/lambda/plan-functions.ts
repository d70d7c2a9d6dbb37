/**
 * How many functions a render on Lambda goes with. A render that someone waits for goes wide, as far as there is room, and narrows
 * down to what is free rather than wait; one of a batch goes with one function, which is the cheapest: there is no function that only
 * waits for others, and starting a browser is paid for once.
 */
import { freeSlots, interactiveReserve, type SlotUse, shareOf, type Urgency } from './slots.ts';

export interface FunctionOrder {
  readonly kind: 'still' | 'video';
  readonly urgency: Urgency;
  /** Of the video; null: not known before it starts. */
  readonly frames: number | null;
}

export interface FunctionPlan {
  /** Functions that render: what Remotion calls `concurrency`. */
  readonly functions: number;
  /** Functions that run at once: those that render and the one that launched them, which renders itself where there is one only. */
  readonly slots: number;
  /** In the first seconds, when the function that took the order runs beside the one that it launches. */
  readonly startSlots: number;
}

/** Remotion refuses more for one render. */
const mostFunctions = 200;
/**
 * About two seconds of work, which is what it costs to start a function's browser; Remotion's own default goes as far. It refuses
 * fewer than 5.
 */
const framesWorthAFunction = 20;
/**
 * What one function is given at most. In a batch: what it renders well within its four minutes, also at a quarter of a second a frame.
 * Where someone waits: a render that would be slower than this for want of room waits for room, which comes within seconds.
 */
const mostFramesPerFunction: Readonly<Record<Urgency, number>> = { interactive: 200, batch: 600 };
/** Where the frames are not known: ten seconds of footage go as wide as they should, and what is longer takes longer. */
const widthOfUnknown = 15;

const still: FunctionPlan = { functions: 1, slots: 1, startSlots: 1 };

const planOf = (functions: number): FunctionPlan => {
  const slots = functions === 1 ? 1 : functions + 1;
  return { functions, slots, startSlots: Math.max(2, slots) };
};

/** The widest render that takes no more than these slots; 0 where it cannot even start. */
const widestWithin = (slots: number): number => {
  if (slots < 2) return 0;
  return slots === 2 ? 1 : slots - 1;
};

/** As narrow as it may be, but never wider than what its urgency has for itself: it would wait for ever. */
const narrowest = (frames: number | null, urgency: Urgency, limit: number): number => {
  const own = urgency === 'batch' ? shareOf('batch', limit) : interactiveReserve(limit);
  const wanted = Math.ceil((frames ?? 1) / mostFramesPerFunction[urgency]);
  return Math.max(1, Math.min(wanted, widestWithin(own), mostFunctions));
};

const widest = (frames: number | null): number =>
  frames === null ? widthOfUnknown : Math.min(mostFunctions, Math.ceil(frames / framesWorthAFunction));

const known = (frames: number | null): number | null =>
  frames === null || !Number.isFinite(frames) ? null : Math.max(1, Math.ceil(frames));

/**
 * Null: there is no room now. A render that someone waits for leaves half of what is free to the next one like it, unless that made
 * it too narrow to be worth starting.
 */
export const planFunctions = (order: FunctionOrder, use: SlotUse): FunctionPlan | null => {
  const free = freeSlots(order.urgency, use);
  if (order.kind === 'still') return free < still.startSlots ? null : still;
  const frames = known(order.frames);
  const least = narrowest(frames, order.urgency, use.limit);
  if (widestWithin(free) < least) return null;
  if (order.urgency === 'batch') return planOf(least);
  const offered = widestWithin(Math.max(2, Math.ceil(free / 2)));
  return planOf(Math.max(least, Math.min(widest(frames), offered)));
};
