/**
 * Windows-1252 is Latin-1 except for 0x80 to 0x9F. By our own table, because TextDecoder of some Node versions decodes these as
 * Latin-1, where they are control characters: euro signs and typographic quotes are lost.
 */
const upper = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Of text that was read as Latin-1, one character per byte. */
export const latin1ToWindows1252 = (latin1: string): string =>
  latin1.replace(/[\u0080-\u009f]/g, (character) => upper[character.charCodeAt(0) - 0x80] ?? character);
