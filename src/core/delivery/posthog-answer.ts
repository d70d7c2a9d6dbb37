import type { HttpAnswer, RequestOutcome } from './request-outcome.ts';

/** A project over its quota stays so until its month ends or its owner pays. */
const quotaWaitMs = 3_600_000;

/** These are about what was sent, not about who sends it or how PostHog is. */
const refusals: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * What PostHog's answer to a batch says of its events. Only a 200 with PostHog's own body is acceptance: a proxy's page is not.
 * A batch is taken or refused as a whole, and a refusal does not say for which event.
 */
export const readPostHogAnswer = (answer: HttpAnswer): RequestOutcome => {
  const { status, text: response } = answer;
  if (status === 200) return readAccepted(answer);
  if (refusals.has(status)) {
    return { type: 'rejected', error: `PostHog refused it with ${status}`, final: true, status, response };
  }
  const { retryAfterMs } = answer;
  const error =
    status === 401 || status === 403
      ? `PostHog does not know the project key (${status}); check POSTHOG_PROJECT_API_KEY and POSTHOG_HOST`
      : `PostHog answered ${status}`;
  return {
    type: 'unavailable',
    error,
    status,
    response,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
};

const readAccepted = ({ status, text: response }: HttpAnswer): RequestOutcome => {
  const body = parse(response);
  if (body?.status !== 1 && body?.status !== 'Ok') {
    const error = "the answer was 200, but not PostHog's; check POSTHOG_HOST";
    return { type: 'unavailable', error, status, response };
  }
  // It says "accepted" and throws away: what is named here was not taken.
  if (Array.isArray(body.quota_limited) && body.quota_limited.includes('events')) {
    const error = 'the PostHog project is over its quota of events, and drops them';
    return { type: 'unavailable', error, status, response, retryAfterMs: quotaWaitMs };
  }
  return { type: 'accepted', status, response };
};

const parse = (text: string): { readonly status?: unknown; readonly quota_limited?: unknown } | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
};
