import type { DerivedValues } from './derived-names.ts';
import { conclude, type Moment, personOf, saveState, stateOf } from './page.ts';
import type { PersonState } from './person-state.ts';
import { attend, isAct, isInReturn, repeatUploadMs } from './session.ts';

const hourMs = 3_600_000;

interface Step {
  readonly state: PersonState;
  readonly derived?: DerivedValues;
}

const noteUpload = (moment: Moment, state: PersonState): Step => {
  const { at } = moment;
  const isReturning = isInReturn(state, at) && !state.uploadedInReturn;
  if (isReturning) conclude(moment, { name: 'upload_returning_user', properties: {} });
  const sinceLast = state.lastUploadAt === null ? null : at.getTime() - state.lastUploadAt.getTime();
  return {
    state: {
      ...state,
      uploadedInReturn: state.uploadedInReturn || isReturning,
      lastUploadAt: sinceLast !== null && sinceLast < 0 ? state.lastUploadAt : at,
    },
    derived: { repeat_upload_within_10min: sinceLast !== null && Math.abs(sinceLast) <= repeatUploadMs },
  };
};

const noteJob = (_moment: Moment, state: PersonState): Step => {
  const isFirstSession = state.returnedAt === null;
  const firstSessionJobs = state.firstSessionJobs + (isFirstSession ? 1 : 0);
  return {
    state: { ...state, firstSessionJobs },
    derived: { jobs_attempted_in_first_session: firstSessionJobs },
  };
};

/** A page that measured it itself knows better. */
const noteCtaClick = ({ at, event }: Moment, state: PersonState): Step => {
  if (state.ctaClickedAt !== null || state.firstSeenAt === null) return { state };
  const isMeasured = event.properties.time_to_first_cta_click !== undefined;
  const seconds = (at.getTime() - state.firstSeenAt.getTime()) / 1000;
  return {
    state: { ...state, ctaClickedAt: at },
    ...(isMeasured ? {} : { derived: { time_to_first_cta_click: seconds } }),
  };
};

const signals: Readonly<Record<string, (moment: Moment, state: PersonState) => Step>> = {
  upload_started: noteUpload,
  job_created: noteJob,
  cta_click: noteCtaClick,
};

/** Follows the sessions of whoever did it, and concludes that somebody has come back. */
export const followPerson = (moment: Moment): DerivedValues => {
  const { event, facts, at, page } = moment;
  const who = personOf(event.organizationId, facts);
  if (who === null || !isAct(event)) return {};
  const { state, awayMs } = attend(stateOf(page, who), at);
  if (awayMs !== null) {
    conclude(moment, { name: 'return_session', properties: { hours_since_last: roundedHours(awayMs) } });
  }
  const signal = Object.hasOwn(signals, event.event) ? signals[event.event] : undefined;
  const step = signal?.(moment, state) ?? { state };
  saveState(page, step.state);
  return step.derived ?? {};
};

const roundedHours = (milliseconds: number): number => Math.round((milliseconds / hourMs) * 100) / 100;

const withinADay = 24;

/** Of the conclusion itself, which says how long the person was away. */
export const returnValues = ({ event }: Moment): DerivedValues => {
  const { hours_since_last: hours } = event.properties;
  if (event.event !== 'return_session' || typeof hours !== 'number') return {};
  return { return_within_24h: hours <= withinADay };
};
