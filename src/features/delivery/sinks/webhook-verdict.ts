import type { Verdict } from '../../../core/delivery/outcomes.ts';
import { readRetryAfter } from '../../../core/delivery/retry-after.ts';
import { storableText } from '../../../core/storable-text.ts';
import type { PostAnswer } from '../../../platform/egress/post-client.ts';

const requestTimeout = 408;
const gone = 410;
const tooEarly = 425;
const tooManyRequests = 429;

/** The request was good, and its time was not. */
const comeBack: ReadonlySet<number> = new Set([requestTimeout, tooEarly, tooManyRequests]);

/** A character that was cut in two is left out. */
const asText = (body: Uint8Array): string => storableText(new TextDecoder().decode(body, { stream: true }));

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** What an answer says of the event: the table of the Standard Webhooks specification, "Deliverability and reliability". */
export const judgeAnswer = (answer: PostAnswer, now: Date): Verdict => {
  const { status } = answer;
  const facts = { status, response: asText(answer.body) };
  if (status >= 200 && status < 300) return { type: 'delivered', ...facts };
  const error = `The endpoint answered ${status}.`;
  if (status === gone) return { type: 'gone', error: 'The endpoint answered 410 Gone.', ...facts };
  if (status >= 500 || comeBack.has(status)) {
    const retryAfterMs = readRetryAfter(single(answer.headers['retry-after']), now);
    return { type: 'unavailable', error, ...facts, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  if (status >= 400) return { type: 'refused', final: false, error, ...facts };
  return { type: 'refused', final: false, error: `${error} Redirects are not followed.`, ...facts };
};
