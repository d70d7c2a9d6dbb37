import { countKey } from '../../../src/core/projection/count-uses.ts';
import { accountKey, type EventUse, personKey } from '../../../src/core/projection/page.ts';
import type { PersonFacts } from '../../../src/core/projection/person-facts.ts';
import type { AccountState, PersonState } from '../../../src/core/projection/person-state.ts';
import { type PagePlan, planPage } from '../../../src/core/projection/plan-page.ts';
import type { ProjectedEvent } from '../../../src/core/projection/projected-event.ts';

export const start = Date.UTC(2026, 2, 10, 12);
const farAhead = new Date(start + 365 * 24 * 3_600_000);

let positions = 0;

/** By a user, through the server, at the start; minutes count from it. */
export const anEvent = (
  event: string,
  { minute = 0, ...given }: Partial<ProjectedEvent> & { minute?: number } = {},
): ProjectedEvent => {
  positions += 1;
  return {
    position: positions,
    id: `00000000-0000-4000-8000-${String(positions).padStart(12, '0')}`,
    event,
    occurredAt: new Date(start + minute * 60_000),
    organizationId: 'org',
    userId: 'user',
    distinctId: null,
    sessionId: null,
    entityType: null,
    entityId: null,
    correlationId: null,
    source: 'server',
    properties: {},
    ...given,
  };
};

export const factsOf = (event: ProjectedEvent, given: Partial<PersonFacts> = {}): PersonFacts => ({
  userId: event.userId,
  distinctId: event.distinctId,
  firstTouch: null,
  lastTouch: null,
  consent: { adsAllowed: null, analyticsAllowed: null },
  ...given,
});

/** A projector whose tables are maps. */
export const createProjector = (given: { accounts?: ReadonlyMap<string, AccountState> } = {}) => {
  const uses = new Map<string, EventUse>();
  const people = new Map<string, PersonState>();
  const accounts = new Map(given.accounts);
  return {
    uses,
    project: (
      events: readonly ProjectedEvent[],
      facts: ReadonlyMap<number, PersonFacts> = new Map(),
      now: Date = farAhead,
    ): PagePlan => {
      const plan = planPage(events, facts, { uses, people, accounts }, now);
      for (const use of plan.uses) uses.set(countKey(use), use);
      for (const person of plan.people) people.set(personKey(person), person);
      for (const { organizationId, userId, name, at } of plan.milestones) {
        const before = accounts.get(accountKey(organizationId, userId));
        const reached = { [name === 'first_login' ? 'firstLoginAt' : 'activatedAt']: at };
        const empty = { createdAt: null, firstLoginAt: null, activatedAt: null };
        accounts.set(accountKey(organizationId, userId), { ...empty, ...before, ...reached });
      }
      return plan;
    },
  };
};

/** What is derived of each, in order; all of them one page of a log that was empty. */
export const derivedOf = (...events: readonly ProjectedEvent[]): Readonly<Record<string, unknown>>[] => {
  const { derived } = createProjector().project(events);
  return events.map((event) => derived.get(event.position) ?? {});
};

/** What is concluded, as `name` of each. */
export const concludedFrom = (...events: readonly ProjectedEvent[]): string[] =>
  createProjector()
    .project(events)
    .conclusions.map(({ fact }) => fact.name);
