import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import { requireOrganization } from '../require-organization.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { compositionRow } from './compositions.ts';

interface Options {
  readonly organization: string;
  readonly entry?: string;
  readonly json?: boolean;
}

/** The one that `up` makes. */
const defaultOrganization = 'development';

export const addBundleCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('bundle')
    .description('Builds a Remotion project and registers its compositions as a new version')
    .argument('<path>', 'folder of the project')
    .option('--organization <id>', 'for whom', defaultOrganization)
    .option('--entry <file>', 'where the project calls registerRoot(), within it; absent: it is looked for')
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill bundle ./my-videos',
          'rendermill bundle ./my-videos --organization acme --entry src/video/index.ts',
        ],
        ['DATABASE_URL', 'STORAGE_DIRECTORY', 'S3_BUCKET', 'RENDERMILL_HOME', 'BROWSER_EXECUTABLE'],
      ),
    )
    .action((path: string, options: Options) =>
      runTask(terminal, (process) => bundle(process, path, options, terminal)),
    );
};

const bundle = async (
  process: Parameters<typeof openMigratedRecords>[0],
  path: string,
  options: Options,
  terminal: Terminal,
): Promise<void> => {
  const { bundleProject } = await import('../../../features/compositions/bundle-project.ts');
  const { systemClock } = await import('../../../platform/clock/clock.ts');
  const { findBrowser } = await import('../../../platform/renderer/browser/find-browser.ts');
  const { openStorage, placeOfFiles } = await import('../../open-storage.ts');
  const { assertSameStorage } = await import('../../storage-identity.ts');

  const { config, log } = process;
  const { db } = await openMigratedRecords(process);
  await requireOrganization(db, options.organization);
  const explicitPath = config.BROWSER_EXECUTABLE;
  const browser = await findBrowser(explicitPath === undefined ? {} : { explicitPath });
  const workDirectory = join(config.home, 'cache');
  await mkdir(workDirectory, { recursive: true });
  const storage = await openStorage(process);
  await assertSameStorage({ db, storage, place: placeOfFiles(config) }, { mayAdopt: false });
  const bundled = await bundleProject(
    {
      db,
      storage,
      clock: systemClock,
      log,
      browserExecutable: browser.path,
      workDirectory,
      allowedHosts: config.ALLOWED_HOSTS,
    },
    {
      organizationId: options.organization,
      projectPath: resolve(path),
      ...(options.entry === undefined ? {} : { entryPoint: options.entry }),
    },
  );
  if (options.json) return terminal.print(JSON.stringify(bundled));
  terminal.print(
    `${bundled.built ? 'Built' : 'Unchanged, and now the newest again:'} version ${bundled.version} of ${options.organization}.\n`,
  );
  terminal.print(formatTable(bundled.compositions.map(compositionRow)));
  for (const { id, schemaNotes } of bundled.compositions) {
    for (const note of schemaNotes) terminal.note(`${id}: ${note}`);
  }
};
