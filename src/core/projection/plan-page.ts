/**
 * What a page of the log means: the values to add to its events, the rows behind them as they are afterwards, and what can be
 * concluded. The order is that of the log; an event that is told late is judged by what was known when it came.
 */
import { followActivation } from './activation.ts';
import { concludeBatch, concludeJob } from './conclude-job.ts';
import type { Conclusion } from './conclusion.ts';
import { countUses } from './count-uses.ts';
import type { DerivedValues } from './derived-names.ts';
import { createDraft } from './draft.ts';
import { noteLogin, sinceFirstLogin } from './first-login.ts';
import { followPerson, returnValues } from './follow-person.ts';
import { jobValues } from './job-values.ts';
import { announcedLandings, followLanding } from './landing.ts';
import type { EventUse, Moment, Page, ReachedMilestone } from './page.ts';
import type { PersonFacts } from './person-facts.ts';
import type { AccountState, PersonState } from './person-state.ts';
import { personValues } from './person-values.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** By the keys of `countKey`, `personKey` and `accountKey`; what is not there is new. */
export interface LoadedState {
  readonly uses: ReadonlyMap<string, EventUse>;
  readonly people: ReadonlyMap<string, PersonState>;
  readonly accounts: ReadonlyMap<string, AccountState>;
}

export interface PagePlan {
  /** By position; an event of which nothing is derived is not there. */
  readonly derived: ReadonlyMap<number, DerivedValues>;
  /** Rows to save, whole. */
  readonly uses: readonly EventUse[];
  readonly people: readonly PersonState[];
  readonly milestones: readonly ReachedMilestone[];
  readonly conclusions: readonly Conclusion[];
}

const project = (moment: Moment): DerivedValues => {
  // The first login's own values and conclusions count it already.
  const login = noteLogin(moment);
  const derived = {
    ...personValues(moment),
    ...jobValues(moment.event),
    ...countUses(moment),
    ...login,
    ...sinceFirstLogin(moment),
    ...followPerson(moment),
    ...returnValues(moment),
  };
  followLanding(moment);
  followActivation(moment);
  concludeJob(moment);
  concludeBatch(moment);
  return derived;
};

const unknownPerson = ({ userId, distinctId }: ProjectedEvent): PersonFacts => ({
  userId,
  distinctId,
  firstTouch: null,
  lastTouch: null,
  consent: { adsAllowed: null, analyticsAllowed: null },
});

export const planPage = (
  events: readonly ProjectedEvent[],
  people: ReadonlyMap<number, PersonFacts>,
  loaded: LoadedState,
  now: Date,
): PagePlan => {
  const page: Page = {
    uses: createDraft(loaded.uses),
    people: createDraft(loaded.people),
    accounts: createDraft(loaded.accounts),
    announced: announcedLandings(events),
    milestones: [],
    conclusions: [],
  };
  const derived = new Map<number, DerivedValues>();
  for (const event of events) {
    const facts = people.get(event.position) ?? unknownPerson(event);
    const at = event.occurredAt > now ? now : event.occurredAt;
    const values = project({ event, facts, userId: facts.userId || null, at, page });
    if (Object.keys(values).length > 0) derived.set(event.position, values);
  }
  return {
    derived,
    uses: page.uses.changed(),
    people: page.people.changed(),
    milestones: page.milestones,
    conclusions: page.conclusions,
  };
};
