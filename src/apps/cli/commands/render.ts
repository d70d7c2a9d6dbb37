import { type Command, Option } from 'commander';
import { renderModes } from '../../../core/exports.ts';
import { exportKinds, stillFormats, videoFormats } from '../../../core/output.ts';
import { commandLineUser } from '../../command-line-user.ts';
import { addServiceOptions, openClient, type ServiceOptions } from '../find-service.ts';
import { type FollowOptions, followRender } from '../follow-render.ts';
import { helpEnd } from '../help.ts';
import { frameRange, integer, positiveInteger, positiveNumber } from '../options.ts';
import { type OrderOptions, toOrder } from '../render-order.ts';
import type { Terminal } from '../terminal.ts';

type Options = ServiceOptions & OrderOptions & FollowOptions;

export const addRenderCommand = (program: Command, terminal: Terminal): void => {
  const command = program
    .command('render')
    .description(
      'Renders through a running service, shows the progress and downloads the file; Ctrl-C cancels the render',
    )
    .argument('<composition>', 'id of a registered composition')
    .option('--output <file>', 'where the file goes (default: named for the composition, in this folder)')
    .addOption(new Option('--kind <kind>', 'default: what the format is').choices(exportKinds))
    .addOption(
      new Option(
        '--format <format>',
        'default: what --output ends in, else png, or mp4 for --kind video',
      ).choices([...stillFormats, ...videoFormats]),
    )
    .option('--props <json>', 'JSON, or @file')
    .option('--width <pixels>', "default: the composition's own", positiveInteger)
    .option('--height <pixels>', "default: the composition's own", positiveInteger)
    .option('--scale <factor>', "multiplies the file's pixels, not the layout", positiveNumber)
    .option('--quality <1-100>', 'not for png and gif', positiveInteger)
    .option('--frame <n>', 'of a still: zero-based, negative from the end', integer)
    .option('--frames <first-last>', 'of a video: both included, zero-based', frameRange)
    .addOption(new Option('--render-mode <mode>', 'default: as the service is set').choices(renderModes))
    .option('--composition-version <version>', 'default: the newest')
    .option('--user <id>', 'whose usage this is', commandLineUser)
    .option('--project <id>', 'where it belongs', 'cli')
    .option('--idempotency-key <key>', 'the same key within a day is the same render')
    .option('--json', 'a JSON object per line: accepted, status and progress, completed or canceled');
  addServiceOptions(command)
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill render product-card',
          'rendermill render promo-video --output promo.mp4 --frames 0-59',
          `rendermill render product-card --width 1080 --height 1350 --props '{"productName":"Lamp"}' --output lamp.webp`,
          'rendermill render product-card --props @props.json --json --user u-17 --project spring',
        ],
        ['RENDERMILL_URL', 'RENDERMILL_API_KEY', 'RENDERMILL_HOME'],
      ),
    )
    .action(async (compositionId: string, options: Options) => {
      const order = await toOrder(compositionId, options);
      const client = await openClient(options, terminal);
      await followRender(client, order, options, terminal);
    });
};
