/** What the projector remembers of people: the rows that it reads before a page and writes after it. */

/** A user, or a visitor who is nobody yet. */
export interface PersonState {
  readonly organizationId: string;
  readonly kind: 'visitor' | 'user';
  readonly id: string;
  /** Acts of the person only; null: none yet. */
  readonly firstSeenAt: Date | null;
  readonly lastSeenAt: Date | null;
  /** When the session began that is a return; null: the person has never been away. */
  readonly returnedAt: Date | null;
  readonly uploadedInReturn: boolean;
  readonly firstSessionJobs: number;
  readonly lastUploadAt: Date | null;
  readonly ctaClickedAt: Date | null;
  readonly creditsGrantedAt: Date | null;
  readonly uploadViewedAt: Date | null;
  /** Of the visitor itself, whoever it belongs to. */
  readonly landedAt: Date | null;
}

export const newPerson = (who: Pick<PersonState, 'organizationId' | 'kind' | 'id'>): PersonState => ({
  ...who,
  firstSeenAt: null,
  lastSeenAt: null,
  returnedAt: null,
  uploadedInReturn: false,
  firstSessionJobs: 0,
  lastUploadAt: null,
  ctaClickedAt: null,
  creditsGrantedAt: null,
  uploadViewedAt: null,
  landedAt: null,
});

/** Of a user: what is known beside its acts, and reached once ever. */
export interface AccountState {
  /** When the user was first metered; null: never. */
  readonly createdAt: Date | null;
  readonly firstLoginAt: Date | null;
  readonly activatedAt: Date | null;
}

export const newAccount: AccountState = { createdAt: null, firstLoginAt: null, activatedAt: null };

export const earlier = (a: Date | null, b: Date | null): Date | null =>
  a === null || b === null ? (a ?? b) : a <= b ? a : b;

export const later = (a: Date | null, b: Date | null): Date | null =>
  a === null || b === null ? (a ?? b) : a >= b ? a : b;

/**
 * What the user is, once the visitor turned out to be the same person. Merging again changes nothing, so that a link that is told
 * twice does no harm.
 */
export const mergeVisitor = (user: PersonState, visitor: PersonState): PersonState => {
  const returnedAt = later(user.returnedAt, visitor.returnedAt);
  const isOfSession = (one: PersonState): boolean => one.returnedAt?.getTime() === returnedAt?.getTime();
  return {
    ...user,
    firstSeenAt: earlier(user.firstSeenAt, visitor.firstSeenAt),
    lastSeenAt: later(user.lastSeenAt, visitor.lastSeenAt),
    returnedAt,
    uploadedInReturn: [user, visitor].some((one) => isOfSession(one) && one.uploadedInReturn),
    firstSessionJobs: Math.max(user.firstSessionJobs, visitor.firstSessionJobs),
    lastUploadAt: later(user.lastUploadAt, visitor.lastUploadAt),
    ctaClickedAt: earlier(user.ctaClickedAt, visitor.ctaClickedAt),
    creditsGrantedAt: earlier(user.creditsGrantedAt, visitor.creditsGrantedAt),
    uploadViewedAt: earlier(user.uploadViewedAt, visitor.uploadViewedAt),
  };
};
