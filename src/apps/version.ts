import { readFileSync } from 'node:fs';

/** Of the package; the file lies two folders up, in the source and in a build alike. */
export const version: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version;
