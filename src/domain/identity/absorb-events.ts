import type { PersonFacts } from '../../core/projection/person-facts.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { LoggedEvent } from '../events/read-events.ts';

/** What the projector's page says of people; in the order of the log. Returns what is known of each event's person, by position. */
export const absorbEvents = async (
  _tx: Tx,
  events: readonly LoggedEvent[],
  _now: Date,
): Promise<ReadonlyMap<number, PersonFacts>> =>
  new Map(
    events.map((event) => [
      event.position,
      {
        userId: event.userId,
        distinctId: event.distinctId,
        firstTouch: null,
        lastTouch: null,
        consent: { adsAllowed: null, analyticsAllowed: null },
      },
    ]),
  );
