import type { ConcludedFact, Conclusion } from './conclusion.ts';
import { type Draft, keyOf } from './draft.ts';
import type { PersonFacts } from './person-facts.ts';
import { type AccountState, newAccount, newPerson, type PersonState } from './person-state.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** How often an event has happened; `userId` is empty where it counts for the whole organization. */
export interface EventUse {
  readonly organizationId: string;
  readonly event: string;
  readonly userId: string;
  readonly uses: number;
  readonly firstAt: Date;
}

export type MilestoneName = 'first_login' | 'activation_complete';

export interface ReachedMilestone {
  readonly organizationId: string;
  readonly userId: string;
  readonly name: MilestoneName;
  readonly at: Date;
}

/** What becomes of the rows behind a page, and what it concludes; each step adds to it. */
export interface Page {
  readonly uses: Draft<EventUse>;
  readonly people: Draft<PersonState>;
  readonly accounts: Draft<AccountState>;
  /** Visitors of whom the tenant itself says in this page that they landed. */
  readonly announced: ReadonlySet<string>;
  readonly milestones: ReachedMilestone[];
  readonly conclusions: Conclusion[];
}

/** One event of a page, and who did it. */
export interface Moment {
  readonly event: ProjectedEvent;
  readonly facts: PersonFacts;
  /** The event's own user, else the one whom its visitor belongs to. */
  readonly userId: string | null;
  /** When it happened, but not later than now: a clock that is ahead shall not hold a person's next return back. */
  readonly at: Date;
  readonly page: Page;
}

type Who = Pick<PersonState, 'organizationId' | 'kind' | 'id'>;

export const accountKey = (organizationId: string, userId: string): string => keyOf(organizationId, userId);

export const personKey = ({ organizationId, kind, id }: Who): string => keyOf(organizationId, kind, id);

/** The user, else the visitor; null where nobody is named. */
export const personOf = (
  organizationId: string,
  facts: Pick<PersonFacts, 'userId' | 'distinctId'>,
): Who | null => {
  if (facts.userId) return { organizationId, kind: 'user', id: facts.userId };
  return facts.distinctId ? { organizationId, kind: 'visitor', id: facts.distinctId } : null;
};

/** The visitor itself, also where it belongs to a user. */
export const visitorOf = ({ organizationId, distinctId }: ProjectedEvent): Who | null =>
  distinctId ? { organizationId, kind: 'visitor', id: distinctId } : null;

export const stateOf = (page: Page, who: Who): PersonState =>
  page.people.get(personKey(who)) ?? newPerson(who);

export const saveState = (page: Page, state: PersonState): void => page.people.set(personKey(state), state);

export const accountOf = ({ page, event, userId }: Moment): AccountState =>
  page.accounts.get(accountKey(event.organizationId, userId ?? '')) ?? newAccount;

/** Marks what a user reaches once ever. */
export const reach = (moment: Moment, userId: string, name: MilestoneName): void => {
  const { page, event, at } = moment;
  const column = name === 'first_login' ? 'firstLoginAt' : 'activatedAt';
  page.accounts.set(accountKey(event.organizationId, userId), { ...accountOf(moment), [column]: at });
  page.milestones.push({ organizationId: event.organizationId, userId, name, at });
};

export const conclude = ({ page, event, userId }: Moment, fact: ConcludedFact): void => {
  page.conclusions.push({ fact, cause: event, userId });
};
