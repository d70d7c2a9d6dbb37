import type { Command } from 'commander';
import type { Composition } from '../../../client/types.ts';
import { addServiceOptions, openClient, type ServiceOptions } from '../find-service.ts';
import { helpEnd } from '../help.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServiceOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export const addCompositionsCommand = (program: Command, terminal: Terminal): void => {
  const command = program
    .command('compositions')
    .description('What a running service can render')
    .option('--all', 'older versions too')
    .option('--json', 'print one object, with schemas and default props')
    .addHelpText(
      'after',
      helpEnd(
        ['rendermill compositions', 'rendermill compositions --json'],
        ['RENDERMILL_URL', 'RENDERMILL_API_KEY', 'RENDERMILL_HOME'],
      ),
    )
    .action(async (options: Options) => {
      const found = await (await openClient(options, terminal)).compositions();
      const shown = options.all ? found : found.filter((one) => one.newest);
      if (options.json) return terminal.print(JSON.stringify({ compositions: shown }));
      if (shown.length === 0) return terminal.print('None yet: run rendermill bundle PATH.');
      terminal.print(formatTable(shown.map((one) => ({ ...compositionRow(one), version: one.version }))));
    });
  addServiceOptions(command);
};

type Shape = Pick<
  Composition,
  'id' | 'width' | 'height' | 'fps' | 'durationInFrames' | 'hasCalculateMetadata' | 'propsSchema'
>;

export const compositionRow = (one: Shape): Record<string, string> => ({
  id: one.id,
  // Computed ones may differ for other props.
  size: `${one.width ?? '?'}x${one.height ?? '?'}${one.hasCalculateMetadata ? ' (computed)' : ''}`,
  seconds: lengthOf(one),
  schema: one.propsSchema === null ? 'none' : 'yes',
});

const lengthOf = (one: Shape): string => {
  if (one.durationInFrames === 1) return 'still';
  return one.fps === null || one.durationInFrames === null
    ? '?'
    : String(Math.round((one.durationInFrames / one.fps) * 100) / 100);
};
