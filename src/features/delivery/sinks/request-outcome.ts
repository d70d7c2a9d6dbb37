import type { HttpAnswer, RequestOutcome } from '../../../core/delivery/request-outcome.ts';
import { readRetryAfter } from '../../../core/delivery/retry-after.ts';
import type { PostResult } from '../../../platform/egress/post-client.ts';

/** Judges what answered; what did not is away, and what our own stop has cut off comes again under the same ids. */
export const outcomeOf = (
  result: PostResult,
  { now, judge }: { now: Date; judge(answer: HttpAnswer): RequestOutcome },
): RequestOutcome => {
  if (result.type === 'aborted') return { type: 'postponed' };
  if (result.type === 'failed') return { type: 'unavailable', error: result.error };
  const header = result.headers['retry-after'];
  const retryAfterMs = readRetryAfter(Array.isArray(header) ? header[0] : header, now);
  return judge({
    status: result.status,
    text: new TextDecoder().decode(result.body, { stream: true }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
};
