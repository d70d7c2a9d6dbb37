import type { Tx } from '../../platform/db/client.ts';
import type { ShardLease } from './lease-shards.ts';

/** Until the end of the transaction. The status of its sink, or null where the lease is lost. */
export const holdShard = async (tx: Tx, lease: ShardLease): Promise<string | null> => {
  const held = await tx
    .selectFrom('delivery_shard')
    .innerJoin('event_sink', 'event_sink.id', 'delivery_shard.sink_id')
    .select('event_sink.status')
    .where('sink_id', '=', lease.sinkId)
    .where('shard', '=', lease.shard)
    .where('epoch', '=', lease.epoch)
    .forUpdate('delivery_shard')
    .executeTakeFirst();
  return held?.status ?? null;
};
