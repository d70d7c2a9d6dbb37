import { countKey, countsUse } from './count-uses.ts';
import { accountKey, type EventUse, personKey, personOf, visitorOf } from './page.ts';
import type { PersonFacts } from './person-facts.ts';
import type { PersonState } from './person-state.ts';
import type { ProjectedEvent } from './projected-event.ts';

export type UseId = Pick<EventUse, 'organizationId' | 'event' | 'userId'>;
export type PersonId = Pick<PersonState, 'organizationId' | 'kind' | 'id'>;
export type AccountId = Pick<EventUse, 'organizationId' | 'userId'>;

/** The rows that the plan of a page looks at, each once. */
export interface NeededState {
  readonly uses: readonly UseId[];
  readonly people: readonly PersonId[];
  readonly accounts: readonly AccountId[];
}

/** These tell of the visitor itself, whoever it belongs to. */
const aboutVisitor: ReadonlySet<string> = new Set([
  'landing_view',
  'first_landing_recorded',
  'identity_linked',
]);

export const neededState = (
  events: readonly ProjectedEvent[],
  people: ReadonlyMap<number, PersonFacts>,
): NeededState => {
  const uses = new Map<string, UseId>();
  const persons = new Map<string, PersonId>();
  const accounts = new Map<string, AccountId>();
  for (const event of events) {
    const { organizationId } = event;
    const facts = people.get(event.position) ?? event;
    const person = personOf(organizationId, facts);
    const visitor = aboutVisitor.has(event.event) ? visitorOf(event) : null;
    for (const who of [person, visitor]) if (who) persons.set(personKey(who), who);
    const userIds = countsUse(event) ? ['', ...(facts.userId ? [facts.userId] : [])] : [];
    for (const userId of userIds) {
      const use = { organizationId, event: event.event, userId };
      uses.set(countKey(use), use);
    }
    if (facts.userId)
      accounts.set(accountKey(organizationId, facts.userId), { organizationId, userId: facts.userId });
  }
  return { uses: [...uses.values()], people: [...persons.values()], accounts: [...accounts.values()] };
};
