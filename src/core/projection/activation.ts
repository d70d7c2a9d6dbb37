/**
 * Activated is who has logged in, was granted credits and came to the upload screen, in any order. What a visitor did before it was
 * known counts for its user as soon as the two are linked. Source: the event catalog document, section 2 B.
 */
import { accountOf, conclude, type Moment, personOf, reach, saveState, stateOf, visitorOf } from './page.ts';
import { mergeVisitor } from './person-state.ts';

/** The log says that a visitor is that user: what it did is the user's from now on. */
const mergeLinked = ({ event, page, userId }: Moment): void => {
  const visitor = visitorOf(event);
  if (event.event !== 'identity_linked' || visitor === null || userId === null) return;
  const { organizationId } = event;
  const user = stateOf(page, { organizationId, kind: 'user', id: userId });
  saveState(page, mergeVisitor(user, stateOf(page, visitor)));
};

const conditions = { credits_granted: 'creditsGrantedAt', upload_view: 'uploadViewedAt' } as const;

const isCondition = (name: string): name is keyof typeof conditions => Object.hasOwn(conditions, name);

const noteCondition = ({ event, facts, page, at }: Moment): void => {
  const who = personOf(event.organizationId, facts);
  if (!isCondition(event.event) || who === null) return;
  const column = conditions[event.event];
  const state = stateOf(page, who);
  if (state[column] === null) saveState(page, { ...state, [column]: at });
};

const mayComplete: ReadonlySet<string> = new Set([
  ...Object.keys(conditions),
  'login_success',
  'identity_linked',
]);

/** Comes after the login of the same event was noted. */
export const followActivation = (moment: Moment): void => {
  mergeLinked(moment);
  noteCondition(moment);
  const { event, page, userId } = moment;
  if (userId === null || !mayComplete.has(event.event)) return;
  const { firstLoginAt, activatedAt } = accountOf(moment);
  if (firstLoginAt === null || activatedAt !== null) return;
  const user = stateOf(page, { organizationId: event.organizationId, kind: 'user', id: userId });
  if (user.creditsGrantedAt === null || user.uploadViewedAt === null) return;
  reach(moment, userId, 'activation_complete');
  conclude(moment, { name: 'activation_complete', properties: {} });
};
