import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Layout, layouts } from '../../../core/archive/archive-file.ts';
import { safePart } from '../../../core/archive/safe-name.ts';
import { ExitCode } from '../exit-code.ts';
import { addServiceOptions, openClient, type ServiceOptions } from '../find-service.ts';
import { helpEnd } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServiceOptions {
  readonly output?: string;
  readonly layout: Layout;
  readonly manifest?: boolean;
  readonly partial?: boolean;
  readonly json?: boolean;
}

/** 128 and the number of SIGINT. */
const interrupted = 130;

export const addZipCommand = (program: Command, terminal: Terminal): void => {
  const command = program
    .command('zip')
    .description('Downloads the files of a campaign as one ZIP; Ctrl-C leaves nothing behind')
    .argument('<campaign>', 'id of a campaign or an import, or the name that it was given')
    .option('--output <file>', 'where the archive goes (default: named for the campaign, in this folder)')
    .addOption(new Option('--layout <layout>', 'its folders').choices(layouts).default('locale-first'))
    .option('--manifest', 'with manifest.json: checksums, props, failures')
    .option('--partial', 'of a campaign that is still running: what there is')
    .option('--json', 'a JSON object: path and sizeInBytes');
  addServiceOptions(command)
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill zip spring-sale',
          'rendermill zip spring-sale --layout google-play --manifest --output sale.zip',
        ],
        ['RENDERMILL_URL', 'RENDERMILL_API_KEY', 'RENDERMILL_HOME'],
      ),
    )
    .action(async (campaignId: string, options: Options) => {
      const client = await openClient(options, terminal);
      const path = resolve(options.output ?? `${safePart(campaignId) || 'campaign'}.zip`);
      const leaving = new AbortController();
      const off = terminal.onInterrupt(() => leaving.abort(new ExitCode(interrupted)));
      const { layout, manifest = false, partial = false } = options;
      try {
        const archive = await client.downloadArchive({ campaignId, layout, manifest, partial }, path, {
          signal: leaving.signal,
        });
        terminal.print(
          options.json ? JSON.stringify(archive) : `${archive.path}  ${archive.sizeInBytes} bytes`,
        );
      } catch (error) {
        throw leaving.signal.aborted ? leaving.signal.reason : error;
      } finally {
        off();
      }
    });
};
