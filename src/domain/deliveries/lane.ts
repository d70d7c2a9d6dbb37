/** What keeps its order on the way to a sink: the events of one entity; where there is none, of one person. */
import { createHash } from 'node:crypto';

export interface LaneOf {
  readonly id: string;
  readonly organizationId: string;
  readonly entityType: string | null;
  readonly entityId: string | null;
  readonly userId: string | null;
  readonly distinctId: string | null;
}

const nameOf = (event: LaneOf): string => {
  if (event.entityId !== null) return `${event.entityType ?? ''}:${event.entityId}`;
  if (event.userId !== null) return `user:${event.userId}`;
  return event.distinctId === null ? event.id : `visitor:${event.distinctId}`;
};

/** A hash of 64 bits: two lanes that meet in one only wait for each other needlessly. */
const hash = (event: LaneOf): bigint =>
  createHash('md5')
    .update(`${event.organizationId}\n${nameOf(event)}`)
    .digest()
    .readBigInt64BE();

export const laneOf = (event: LaneOf): { readonly lane: string; shardOf(shards: number): number } => {
  const lane = hash(event);
  return {
    lane: lane.toString(),
    shardOf: (shards) => Number(BigInt.asUintN(64, lane) % BigInt(shards)),
  };
};
