import { randomBytes, randomUUID } from 'node:crypto';
import { chown, link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

export const passwordPath = (directory: string): string => join(directory, 'password');

/**
 * The password of the server, made once per folder. Written aside and linked into place: of several that start at once the first
 * one wins, and nobody ever reads half of it. It belongs to the server's user, because initdb reads it.
 */
export const ensurePassword = async (directory: string, account: Account | undefined): Promise<string> => {
  const path = passwordPath(directory);
  const password = (await readPassword(path)) ?? (await createPassword(path));
  if (account) await chown(path, account.uid, account.gid);
  return password;
};

const createPassword = async (path: string): Promise<string> => {
  const aside = `${path}.${randomUUID()}`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(24).toString('base64url')}\n`);
    await file.sync();
    await link(aside, path).catch(ignore('EEXIST'));
  } finally {
    await file.close();
    await unlink(aside);
  }
  return (await readFile(path, 'utf8')).trim();
};

const readPassword = async (path: string): Promise<string | undefined> =>
  (await readFile(path, 'utf8').catch(ignore('ENOENT')))?.trim();

const ignore = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error;
  return undefined;
};
