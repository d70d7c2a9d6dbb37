/** Longer than this nobody means it. */
const longestMs = 24 * 3_600_000;

/** `Date.parse` takes many things for a date, 2027 among them; an HTTP date begins with its weekday. */
const httpDate = (text: string): number =>
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;

/** Milliseconds that a Retry-After header (RFC 9110, 10.2.3: seconds or an HTTP date) asks for; undefined: nothing, or nonsense. */
export const readRetryAfter = (header: string | undefined, now: Date): number | undefined => {
  const text = header?.trim() ?? '';
  const asked = /^\d+$/.test(text) ? Number(text) * 1_000 : httpDate(text) - now.getTime();
  return asked > 0 ? Math.min(asked, longestMs) : undefined;
};
