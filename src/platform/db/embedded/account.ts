import { readFile, stat } from 'node:fs/promises';
import { RendermillError } from '../../../core/errors.ts';

/** A user of this machine, other than root, to whom the data folder belongs. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/**
 * Postgres refuses to run as root, and initdb wants its user in /etc/passwd. Undefined: we are not root (or on Windows), and the
 * server runs as ourselves.
 */
export const serverAccount = async (dataDirectory: string): Promise<Account | undefined> => {
  if (process.geteuid?.() !== 0) return undefined;
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  const owner = await stat(dataDirectory).catch(() => undefined);
  const account = chooseAccount(accounts, owner);
  if (account) return account;
  throw new RendermillError('invalid_configuration', {
    message:
      'Postgres does not run as root, and this machine has neither a user "postgres" nor a user "nobody" to run it as. Create one (useradd --system postgres), start as another user, or set DATABASE_URL to a Postgres of your own.',
  });
};

/** The owner of data that are already there, so that who made them without root can go on doing so; else a user for services. */
export const chooseAccount = (
  accounts: readonly Account[],
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Account | undefined => {
  if (owner && owner.uid !== 0) {
    const name = accounts.find(({ uid }) => uid === owner.uid)?.name ?? String(owner.uid);
    return { uid: owner.uid, gid: owner.gid, name };
  }
  const byName = (name: string) => accounts.find((account) => account.name === name && account.uid !== 0);
  return byName('postgres') ?? byName('nobody');
};

export const parsePasswd = (text: string): Account[] =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
