/** Postgres keeps neither NUL nor half of a surrogate pair; text from elsewhere must not fail a write for that. */
export const storableText = (text: string): string =>
  text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
