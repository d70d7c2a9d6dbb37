import { countsUse } from './count-uses.ts';
import type { DerivedValues } from './derived-names.ts';
import { accountOf, type Moment, reach } from './page.ts';

/** The first in the order of the log is the first: one that is told late changes nothing any more. */
export const noteLogin = (moment: Moment): DerivedValues => {
  const { event, userId } = moment;
  if (event.event !== 'login_success' || userId === null) return {};
  const isFirst = accountOf(moment).firstLoginAt === null;
  if (isFirst) reach(moment, userId, 'first_login');
  return { is_first_login: isFirst };
};

export const sinceFirstLogin = (moment: Moment): DerivedValues => {
  const { firstLoginAt } = accountOf(moment);
  if (firstLoginAt === null || !countsUse(moment.event)) return {};
  const seconds = Math.floor((moment.at.getTime() - firstLoginAt.getTime()) / 1000);
  return { seconds_since_first_login: Math.max(0, seconds) };
};
