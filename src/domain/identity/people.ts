/** What is known of people, as a page of the log finds it and leaves it. */
import { type ConsentStatement, newerConsent, nothingStated } from '../../core/identity/consent.ts';
import type { Touch } from '../../core/projection/person-facts.ts';
import { type Person, personKey } from './consent-rows.ts';
import { keyOf } from './person-key.ts';

export interface Visitor {
  readonly organizationId: string;
  readonly distinctId: string;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly firstTouch: Touch | null;
  readonly lastTouch: Touch | null;
}

export interface KnownLink {
  readonly organizationId: string;
  readonly distinctId: string;
  readonly userId: string;
}

export interface People {
  readonly visitors: Map<string, Visitor>;
  /** Visitor → user. */
  readonly links: Map<string, string>;
  /** User → its visitors, the first linked one first; of many only some are known. */
  readonly visitorsOf: Map<string, string[]>;
  readonly statements: Map<string, ConsentStatement>;
  /** What has to be written. */
  readonly changedVisitors: Set<string>;
  readonly changedStatements: Map<string, Person>;
}

export const noPeople = (): People => ({
  visitors: new Map(),
  links: new Map(),
  visitorsOf: new Map(),
  statements: new Map(),
  changedVisitors: new Set(),
  changedStatements: new Map(),
});

export const knowLink = (people: People, { organizationId, distinctId, userId }: KnownLink): void => {
  people.links.set(keyOf(organizationId, distinctId), userId);
  const user = keyOf(organizationId, userId);
  const visitors = people.visitorsOf.get(user) ?? [];
  if (!visitors.includes(distinctId)) visitors.push(distinctId);
  people.visitorsOf.set(user, visitors);
};

export const statementOf = (people: People, person: Person): ConsentStatement =>
  people.statements.get(personKey(person)) ?? nothingStated;

export const addStatement = (people: People, person: Person, stated: ConsentStatement): void => {
  const before = statementOf(people, person);
  const after = newerConsent(before, stated);
  if (after.ads === before.ads && after.analytics === before.analytics) return;
  people.statements.set(personKey(person), after);
  people.changedStatements.set(personKey(person), person);
};

/** The user is known by its visitor from now on, and has said what the visitor said. */
export const link = (people: People, made: KnownLink): void => {
  knowLink(people, made);
  const { organizationId, distinctId, userId } = made;
  const visitor = statementOf(people, { organizationId, kind: 'visitor', id: distinctId });
  addStatement(people, { organizationId, kind: 'user', id: userId }, visitor);
};
