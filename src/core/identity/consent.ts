/** What a person has said to each of the two questions, and when. Of two statements the newer one counts, for each question alone. */
import type { Consent } from '../delivery/sink-event.ts';

interface Answer {
  readonly allowed: boolean;
  readonly statedAt: Date;
}

/** null: never said. */
export interface ConsentStatement {
  readonly ads: Answer | null;
  readonly analytics: Answer | null;
}

export const nothingStated: ConsentStatement = { ads: null, analytics: null };

/** At the same moment the refusal counts. */
const newerAnswer = (one: Answer | null, other: Answer | null): Answer | null => {
  if (!one || !other) return one ?? other;
  const difference = one.statedAt.getTime() - other.statedAt.getTime();
  if (difference !== 0) return difference > 0 ? one : other;
  return one.allowed ? other : one;
};

/** Whatever the order in which statements come, the result is the same. */
export const newerConsent = (one: ConsentStatement, other: ConsentStatement): ConsentStatement => ({
  ads: newerAnswer(one.ads, other.ads),
  analytics: newerAnswer(one.analytics, other.analytics),
});

const answerIn = (value: unknown, statedAt: Date): Answer | null =>
  typeof value === 'boolean' ? { allowed: value, statedAt } : null;

/** Of the properties of `cookie_consent_updated`; a question that they do not answer stays as it was. */
export const statedIn = (
  properties: Readonly<Record<string, unknown>>,
  statedAt: Date,
): ConsentStatement => ({
  ads: answerIn(properties.ads_allowed, statedAt),
  analytics: answerIn(properties.analytics_allowed, statedAt),
});

export const consentOf = ({ ads, analytics }: ConsentStatement): Consent => ({
  adsAllowed: ads?.allowed ?? null,
  analyticsAllowed: analytics?.allowed ?? null,
});
