/**
 * How many more shards of a sink are begun beside those at work: as few as keep the sink busy. A round costs the same however little
 * is due in it, so what comes in meanwhile had better come in one.
 */
export interface ShardRoom {
  /** Shards that may be leased now. */
  room(): number;
  /** A round begins; tells it of what was due for it, and that it has ended. */
  begin(): { claimed(deliveries: number): void; ended(): void };
}

export interface ShardRoomOptions {
  /** Of the sink's calls. */
  readonly batchSize: number;
  /** Calls that wait for others to end. */
  readonly waiting: () => number;
  /** There may be room now. */
  readonly onRoom: () => void;
}

/** Of one sink, at work in one process. */
const shardsAtOnce = 16;
/** Each with the events of several entities, which go side by side: a few of them keep a sink of single calls busy. */
const singlesAtOnce = 4;
/** A sink of batches that takes longer than this gets the next batch beside the one that it has, full or not; milliseconds. */
const besideMs = 50;

export const createShardRoom = ({ batchSize, waiting, onRoom }: ShardRoomOptions): ShardRoom => {
  let working = 0;
  let claiming = 0;
  let wasFull = false;
  let begunAt = Number.NEGATIVE_INFINITY;

  const wanted = (): number => {
    if (batchSize === 1) return waiting() > 0 ? 0 : singlesAtOnce;
    return working === 0 || wasFull || performance.now() - begunAt >= besideMs ? 1 : 0;
  };
  return {
    room: () => (claiming > 0 ? 0 : Math.min(wanted(), shardsAtOnce - working)),
    begin: () => {
      working += 1;
      claiming += 1;
      begunAt = performance.now();
      let isClaiming = true;
      const timer = batchSize === 1 ? undefined : setTimeout(onRoom, besideMs);
      const claimed = (deliveries: number): void => {
        if (!isClaiming) return;
        isClaiming = false;
        claiming -= 1;
        wasFull = deliveries >= batchSize;
        onRoom();
      };
      return {
        claimed,
        ended: () => {
          claimed(0);
          clearTimeout(timer);
          working -= 1;
          onRoom();
        },
      };
    },
  };
};
