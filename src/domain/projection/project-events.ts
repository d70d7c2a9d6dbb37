import type { DerivedValues } from '../../core/projection/derived-names.ts';
import { neededState } from '../../core/projection/needed-state.ts';
import type { PersonFacts } from '../../core/projection/person-facts.ts';
import { planPage } from '../../core/projection/plan-page.ts';
import type { Tx } from '../../platform/db/client.ts';
import { reachMilestones } from '../accounts/milestones.ts';
import { emitAll } from '../events/emit.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import { concludedEvent } from './concluded-event.ts';
import { loadState } from './load-state.ts';
import { savePeople, saveUses } from './save-state.ts';

/**
 * Derived values of each event of a page, by position; what can be concluded from them is emitted in the same transaction. For one
 * projector at a time, with each event once and in the order of the log; `people` says who did it. A handful of statements,
 * however many events they are.
 */
export const projectEvents = async (
  tx: Tx,
  events: readonly LoggedEvent[],
  people: ReadonlyMap<number, PersonFacts>,
  now: Date,
): Promise<ReadonlyMap<number, DerivedValues>> => {
  if (events.length === 0) return new Map();
  const loaded = await loadState(tx, neededState(events, people));
  const plan = planPage(events, people, loaded, now);
  await saveUses(tx, plan.uses);
  await savePeople(tx, plan.people);
  await reachMilestones(tx, plan.milestones);
  await emitAll(tx, plan.conclusions.map(concludedEvent));
  return plan.derived;
};
