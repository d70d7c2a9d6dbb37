import { definitionOf, isEventName } from '../events/catalog.ts';
import type { DerivedValues } from './derived-names.ts';
import { keyOf } from './draft.ts';
import type { EventUse, Moment } from './page.ts';
import type { ProjectedEvent } from './projected-event.ts';

export const countsUse = ({ event }: ProjectedEvent): boolean =>
  isEventName(event) && definitionOf(event).countsUse === true;

export const countKey = ({ organizationId, event, userId }: Omit<EventUse, 'uses' | 'firstAt'>): string =>
  keyOf(organizationId, event, userId);

/** One more use; returns how many that makes. */
const countOne = ({ event, at, page }: Moment, userId: string): number => {
  const who = { organizationId: event.organizationId, event: event.event, userId };
  const before = page.uses.get(countKey(who));
  const uses = (before?.uses ?? 0) + 1;
  page.uses.set(countKey(who), { ...who, uses, firstAt: before?.firstAt ?? at });
  return uses;
};

/** A visitor who is nobody yet counts for the organization only. */
export const countUses = (moment: Moment): DerivedValues => {
  if (!countsUse(moment.event)) return {};
  const inOrganization = countOne(moment, '');
  const ofOrganization = {
    org_use_index: inOrganization,
    is_first_org_use: inOrganization === 1,
    is_second_org_use: inOrganization === 2,
  };
  if (moment.userId === null) return ofOrganization;
  const ofUser = countOne(moment, moment.userId);
  return {
    user_use_index: ofUser,
    is_first_user_use: ofUser === 1,
    is_second_user_use: ofUser === 2,
    ...ofOrganization,
  };
};
