/** Where `up` says its address to the commands of the same folder, beside its key. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const addressFile = (home: string): string => join(home, 'url');

export const leaveAddress = (home: string, url: string): Promise<void> =>
  writeFile(addressFile(home), `${url}\n`);

/** Also one that a killed `up` left. */
export const removeAddress = (home: string): Promise<void> => rm(addressFile(home), { force: true });

/** Null: nothing is up there, as far as can be told. */
export const readAddress = async (home: string): Promise<string | null> => {
  const text = await readFile(addressFile(home), 'utf8').catch(() => '');
  return URL.canParse(text.trim()) ? text.trim() : null;
};
