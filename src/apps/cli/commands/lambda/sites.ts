import type { Command } from 'commander';
import { RendermillError } from '../../../../core/errors.ts';
import type { Site } from '../../../../platform/aws/sites.ts';
import { ExitCode } from '../../exit-code.ts';
import { pastTime } from '../../past-time.ts';
import { quoted } from '../../quoted.ts';
import { formatTable } from '../../table.ts';
import type { Terminal } from '../../terminal.ts';
import { formatBytes, jsonOption, readVariables, regionOption, requireBucket } from './lambda-commands.ts';

interface Options {
  readonly region?: string;
  readonly json?: boolean;
}

interface RemoveOptions extends Options {
  readonly olderThan?: Date;
  readonly yes?: boolean;
}

export const addSitesCommand = (lambda: Command, terminal: Terminal): void => {
  const sites = lambda
    .command('sites')
    .description('The bundles that renders have put into the bucket')
    .option(...regionOption)
    .option(...jsonOption)
    .action((options: Options) => list(options, terminal));
  sites
    .command('rm')
    .description('Removes sites; one that is needed again is uploaded again')
    .argument('[names...]', 'as `lambda sites` shows them')
    .option('--older-than <time>', 'those uploaded before: a time, a day, or such as 30d (ago)', (text) =>
      pastTime(text, new Date()),
    )
    .option('--yes', 'do it; else it only says what that would be, and exits with 1')
    // Its own --region and --json are those of `sites`.
    .action((names: string[], _own: unknown, command: Command) =>
      remove(names, command.optsWithGlobals<RemoveOptions>(), terminal),
    );
};

const open = async ({ region }: Options, terminal: Terminal) => {
  const { listSites, removeSite } = await import('../../../../platform/aws/sites.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const variables = readVariables(terminal, region);
  const bucket = requireBucket(variables);
  const at = await toRegion(variables.region);
  return { list: () => listSites(at, bucket), remove: (name: string) => removeSite(at, bucket, name) };
};

const list = async (options: Options, terminal: Terminal): Promise<void> => {
  const sites = await (await open(options, terminal)).list();
  if (options.json) return terminal.print(JSON.stringify({ sites }));
  if (sites.length === 0)
    return terminal.print('There are no sites: the first render of a bundle makes one.');
  const now = new Date();
  terminal.print(formatTable(sites.map((site) => rowOf(site, now))));
};

const rowOf = ({ name, sizeInBytes, files, uploadedAt }: Site, now: Date): Record<string, string> => ({
  site: quoted(name),
  size: formatBytes(sizeInBytes),
  files: String(files),
  age: ageOf(uploadedAt, now),
});

const [hourMs, dayMs] = [3_600_000, 86_400_000];

const ageOf = (at: Date, now: Date): string => {
  const ms = now.getTime() - at.getTime();
  return ms < 2 * dayMs ? `${Math.floor(ms / hourMs)} h` : `${Math.floor(ms / dayMs)} d`;
};

const remove = async (
  names: readonly string[],
  options: RemoveOptions,
  terminal: Terminal,
): Promise<void> => {
  const { olderThan, yes = false, json } = options;
  if ((names.length === 0) === (olderThan === undefined))
    throw new RendermillError('invalid_request', { message: 'Name sites, or give --older-than, not both.' });
  const store = await open(options, terminal);
  const chosen = choose(await store.list(), names, olderThan);
  if (yes) for (const { name } of chosen) await store.remove(name);
  const removed = yes ? chosen.map(({ name }) => name) : [];
  const bytes = chosen.reduce((sum, one) => sum + one.sizeInBytes, 0);
  const what = `${chosen.length === 1 ? '1 site' : `${chosen.length} sites`}, ${formatBytes(bytes)}`;
  if (json) terminal.print(JSON.stringify({ sites: chosen.map(({ name }) => name), removed }));
  else terminal.print(yes ? `Removed ${what}.` : `${what} would be removed: add --yes.`);
  if (!yes) throw new ExitCode(1);
};

const choose = (sites: readonly Site[], names: readonly string[], olderThan: Date | undefined): Site[] => {
  if (olderThan !== undefined) return sites.filter((one) => one.uploadedAt < olderThan);
  return names.map((name) => {
    const site = sites.find((one) => one.name === name);
    if (site) return site;
    throw new RendermillError('not_found', { message: `There is no site ${quoted(name)}.` });
  });
};
