import type { DerivedValues } from './derived-names.ts';
import { emailDomainType } from './email-domain.ts';
import { accountOf, type Moment } from './page.ts';
import type { PersonFacts, Touch } from './person-facts.ts';

const dayMs = 24 * 3_600_000;

const accountAge = (moment: Moment): DerivedValues => {
  const { createdAt } = accountOf(moment);
  if (createdAt === null) return {};
  const days = Math.floor((moment.at.getTime() - createdAt.getTime()) / dayMs);
  return { account_age_days: Math.max(0, days) };
};

const emailDomain = ({ event }: Moment): DerivedValues => {
  const { email } = event.properties;
  const type = typeof email === 'string' ? emailDomainType(email) : undefined;
  return type === undefined ? {} : { email_domain_type: type };
};

const consentState = ({ consent }: PersonFacts): DerivedValues => {
  const { adsAllowed, analyticsAllowed } = consent;
  if (adsAllowed === null && analyticsAllowed === null) return {};
  return {
    consent_state: {
      ...(adsAllowed === null ? {} : { ads_allowed: adsAllowed }),
      ...(analyticsAllowed === null ? {} : { analytics_allowed: analyticsAllowed }),
    },
  };
};

const channel = (name: 'first_touch_channel' | 'last_touch_channel', touch: Touch | null): DerivedValues =>
  typeof touch?.channel === 'string' ? { [name]: touch.channel } : {};

const attribution = ({ firstTouch, lastTouch }: PersonFacts): DerivedValues => {
  if (firstTouch === null && lastTouch === null) return {};
  return {
    ...channel('first_touch_channel', firstTouch),
    ...channel('last_touch_channel', lastTouch),
    attribution: {
      ...(firstTouch === null ? {} : { first_touch: firstTouch }),
      ...(lastTouch === null ? {} : { last_touch: lastTouch }),
    },
  };
};

/** What is known of whoever did it, at that moment. */
export const personValues = (moment: Moment): DerivedValues => ({
  ...accountAge(moment),
  ...emailDomain(moment),
  ...consentState(moment.facts),
  ...attribution(moment.facts),
});
