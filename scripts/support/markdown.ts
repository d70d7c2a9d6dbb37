/** Text as the cell of a table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

export const code = (text: unknown): string => `\`${text}\``;
