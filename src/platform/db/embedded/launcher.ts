import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { RendermillError } from '../../../core/errors.ts';
import type { Account } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';
import { describeBlockedFolder } from './blocked-folder.ts';

/** How a program of Postgres is started: as which user, and through what. */
export interface Launcher {
  command(program: string, args: readonly string[]): { readonly file: string; readonly args: string[] };
  readonly credentials: { readonly uid?: number; readonly gid?: number };
}

const run = promisify(execFile);

const directly = (account: Account | undefined): Launcher => ({
  command: (program, args) => ({ file: program, args: [...args] }),
  credentials: account ? { uid: account.uid, gid: account.gid } : {},
});

/**
 * An unprivileged user plus one capability: to pass (and read) folders that are closed to others, as a clone below /root is.
 * `no_setuid_fixup` because initdb asks access(2), which else ignores the capabilities of a user other than root.
 */
const withCapability = (account: Account, capability: Capability): Launcher => ({
  command: (program, args) => ({
    file: 'setpriv',
    args: [
      ...['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups'],
      ...[`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--securebits=+no_setuid_fixup'],
      ...[program, ...args],
    ],
  }),
  credentials: {},
});

type Capability = 'dac_read_search' | 'dac_override';

/**
 * The way with the fewest rights that works here. `dac_override` (which may write as well) comes last: containers usually grant
 * root that one and not the other, and a program that was installed for root alone can be executed in no other way.
 */
export const findLauncher = async (options: {
  account: Account | undefined;
  directory: string;
  binaries: PostgresBinaries;
}): Promise<Launcher> => {
  const { account } = options;
  const ways = account
    ? [directly(account), withCapability(account, 'dac_read_search'), withCapability(account, 'dac_override')]
    : [directly(undefined)];
  const complaints: string[] = [];
  for (const way of ways) {
    const complaint = await probe(way, options);
    if (complaint === undefined) return way;
    complaints.push(complaint);
  }
  throw await unusable(options, complaints);
};

/** Enters the folder and runs the program, rather than judge by mode bits: there are also access lists and network drives. */
const probe = async (
  launcher: Launcher,
  options: { directory: string; binaries: PostgresBinaries },
): Promise<string | undefined> => {
  const version = [options.binaries.postgres, '--version'];
  const { file, args } =
    process.platform === 'win32'
      ? launcher.command(options.binaries.postgres, ['--version'])
      : launcher.command('/bin/sh', [
          '-c',
          'cd "$1" && shift && exec "$@"',
          'sh',
          options.directory,
          ...version,
        ]);
  try {
    await run(file, args, launcher.credentials);
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return stderr?.trim() || message;
  }
};

const unusable = async (
  options: { account: Account | undefined; directory: string; binaries: PostgresBinaries },
  complaints: readonly string[],
): Promise<RendermillError> => {
  const paths = [options.directory, dirname(options.binaries.postgres)];
  const blocked = options.account && (await describeBlockedFolder(options.account, paths, stat));
  const reason = blocked ?? `The system says: ${complaints[0]}`;
  return new RendermillError('invalid_configuration', {
    message: `The embedded Postgres cannot be run${options.account ? ` as the user "${options.account.name}" (it refuses to run as root)` : ''}. ${reason} Choose another data directory or clone into one that others may enter, start as a user other than root, or set DATABASE_URL to a Postgres of your own.`,
    details: { complaints },
  });
};
