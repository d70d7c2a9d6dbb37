import { dirname } from 'node:path';
import type { Account } from './account.ts';

interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** A sentence on the topmost folder, on the way to one of the paths, that the user may not enter; undefined: mode bits show none. */
export const describeBlockedFolder = async (
  account: Account,
  paths: readonly string[],
  stat: (path: string) => Promise<Owned>,
): Promise<string | undefined> => {
  for (const folder of paths.flatMap(ancestors)) {
    const owned = await stat(folder).catch(() => undefined);
    if (owned && !mayEnter(account, owned)) return `The folder ${folder} is closed to that user.`;
  }
  return undefined;
};

/** The path itself included, from the root down. */
export const ancestors = (path: string): string[] =>
  dirname(path) === path ? [path] : [...ancestors(dirname(path)), path];

export const mayEnter = (account: Account, { uid, gid, mode }: Owned): boolean => {
  const bit = account.uid === uid ? 0o100 : account.gid === gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
};
