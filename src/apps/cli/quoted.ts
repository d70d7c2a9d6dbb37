/** Beside what JSON escapes already: controls of eight bits, and what turns the direction of writing. */
const unsafe = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** As JSON that cannot speak to the terminal: events and answers are strangers' text. */
export const safeJson = (value: unknown, indent = 0): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(unsafe, escapeCharacter);

/** A word as it is, any other text quoted. */
export const quoted = (text: string): string => (/^[\x21-\x7e]+$/.test(text) ? text : safeJson(text));
