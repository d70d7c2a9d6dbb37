import type { PersonFacts } from '../../core/projection/person-facts.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { LoggedEvent } from '../events/read-events.ts';

/** Derived values of each event of a page, by position; what can be concluded from them is emitted in the same transaction. */
export const projectEvents = async (
  _tx: Tx,
  _events: readonly LoggedEvent[],
  _people: ReadonlyMap<number, PersonFacts>,
  _now: Date,
): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>> => new Map();
