/** Function slots of an AWS account and region, as whoever plans a render sees them. */

export type Urgency = 'interactive' | 'batch';

export interface SlotUse {
  /** What may run at once at this moment. */
  readonly limit: number;
  /** Taken by all renders, and by those of batches alone. */
  readonly used: number;
  readonly usedByBatch: number;
}

/** Of the limit, kept free of batches: a render that someone waits for always finds room to start. */
const interactiveShare = 0.2;
/** Of a small account a share would be nothing: so many, unless they are more than half of it. */
const interactiveLeast = 25;

export const interactiveReserve = (limit: number): number =>
  Math.max(Math.ceil(limit * interactiveShare), Math.min(Math.floor(limit / 2), interactiveLeast));

/** What renders of this urgency may take altogether: of batches at least what one video needs. */
export const shareOf = (urgency: Urgency, limit: number): number =>
  urgency === 'batch' ? Math.max(Math.min(2, limit), limit - interactiveReserve(limit)) : limit;

/** What one more render of this urgency may take. Never negative, though a limit that has shrunk may be overdrawn. */
export const freeSlots = (urgency: Urgency, use: SlotUse): number => {
  const free = use.limit - use.used;
  const freeForBatch = shareOf('batch', use.limit) - use.usedByBatch;
  return Math.max(0, urgency === 'batch' ? Math.min(free, freeForBatch) : free);
};
