/** An endpoint that was disabled takes events again: what waited for it, and, if asked for, what it missed. */
import { RendermillError } from '../../../core/errors.ts';
import { backlogOf } from '../../../domain/deliveries/backlog.ts';
import {
  countMissed,
  type Missed,
  missedBy,
  type Resumed,
  resumeSink,
} from '../../../domain/deliveries/missed-events.ts';
import { enableSink, getSink } from '../../../domain/deliveries/sinks.ts';
import { wakeAll } from '../../../domain/deliveries/wake-waiting.ts';
import type { Database } from '../../../platform/db/client.ts';
import { notify } from '../../../platform/db/notify.ts';

export interface EnableOrder {
  /** Also what it missed while it was disabled, and what was given up since it failed. */
  readonly replay: boolean;
  /** So many missed events at most; more are for parts of the time. */
  readonly mostMissed?: number;
}

export interface Enabled {
  /** Deliveries that go out now, counted up to 100,000. */
  readonly waiting: number;
  /** What it has still missed; null: nothing, or it is sent now. */
  readonly missed: Missed | null;
  /** null: it was not asked for. */
  readonly resumed: Resumed | null;
}

const assertFew = async (db: Database, sinkId: string, most: number): Promise<void> => {
  const events = await countMissed(db, await getSink(db, sinkId));
  if (events <= most) return;
  throw new RendermillError('replay_too_large', {
    message: `It missed ${events} events, and ${most} may be sent at once. Enable it without replay, and send parts of the time with POST /api/v1/events/replay.`,
    details: { events, mostAtOnce: most },
  });
};

/** Throws `replay_too_large`; then nothing has changed. */
export const enableEndpoint = async (
  db: Database,
  sinkId: string,
  { replay, mostMissed = Number.POSITIVE_INFINITY }: EnableOrder,
  now: Date,
): Promise<Enabled> => {
  if (replay) await assertFew(db, sinkId, mostMissed);
  const resumed = replay ? await resumeSink(db, sinkId, now) : null;
  if (!replay) {
    await wakeAll(db, sinkId, now);
    await db.transaction().execute(async (tx) => {
      await enableSink(tx, sinkId, now);
      await notify(tx, 'rendermill_delivery');
    });
  }
  const { pending } = await backlogOf(db, sinkId);
  return { waiting: pending, missed: missedBy(await getSink(db, sinkId)), resumed };
};
