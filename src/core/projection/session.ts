/** When a person was here. Who stays away for 12 hours and comes again returns; what it does until the next such pause is one session. */
import type { PersonState } from './person-state.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** Longer than a night's pause is short: who works in the evening and goes on in the morning has come back. */
export const returnAfterMs = 12 * 3_600_000;
export const repeatUploadMs = 10 * 60_000;

/** What people do and a server records. */
const actsSeenByServers: ReadonlySet<string> = new Set([
  'login_success',
  'auth_email_link_clicked',
  'onboarding_completed',
  'upload_view',
  'upload_started',
  'upload_completed',
  'job_created',
  'download_clicked',
  'export_downloaded',
  'checkout_started',
]);

/** The person itself did it; what a worker ends or a provider of payments tells of needs nobody to be there. */
export const isAct = ({ event, source }: ProjectedEvent): boolean =>
  source === 'web' || actsSeenByServers.has(event);

interface Attendance {
  readonly state: PersonState;
  /** How long the person was away, where this act begins a return; else null. */
  readonly awayMs: number | null;
}

/** An act that is told late moves nothing: the newest one so far stays the last. */
export const attend = (state: PersonState, at: Date): Attendance => {
  const { firstSeenAt, lastSeenAt } = state;
  if (firstSeenAt === null || lastSeenAt === null) {
    return { state: { ...state, firstSeenAt: at, lastSeenAt: at }, awayMs: null };
  }
  const gap = at.getTime() - lastSeenAt.getTime();
  const seen = {
    ...state,
    firstSeenAt: at < firstSeenAt ? at : firstSeenAt,
    lastSeenAt: gap > 0 ? at : lastSeenAt,
  };
  if (gap < returnAfterMs) return { state: seen, awayMs: null };
  return { state: { ...seen, returnedAt: at, uploadedInReturn: false }, awayMs: gap };
};

/** Whether at that time the person was in a session that is a return, and still is in it. */
export const isInReturn = ({ returnedAt, lastSeenAt }: PersonState, at: Date): boolean =>
  returnedAt !== null &&
  lastSeenAt !== null &&
  at >= returnedAt &&
  at.getTime() - lastSeenAt.getTime() < returnAfterMs;
