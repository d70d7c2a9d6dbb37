/** Postgres keeps neither NUL nor half of a surrogate pair; text from elsewhere must not fail a write for that. */
export const storableText = (text: string): string =>
  text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');

/** What a composition throws may have any length, and is read with every list of what failed. */
export const maxReasonLength = 2_000;

/** Half of a surrogate pair, which a cut in its middle leaves. */
const halfPair = /[\ud800-\udbff]$/;

/** At most so many characters, the last of them an ellipsis where something is missing; never cuts a surrogate pair in two. */
export const cutText = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(halfPair, '')}…`;
