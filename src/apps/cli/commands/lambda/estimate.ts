import type { Command } from 'commander';
import { RendermillError } from '../../../../core/errors.ts';
import type { Usage, Work } from '../../../../platform/aws/estimate.ts';
import { notNegative, positiveInteger, positiveNumber } from '../../options.ts';
import { formatTable } from '../../table.ts';
import type { Terminal } from '../../terminal.ts';
import { jsonOption, readVariables, regionOption } from './lambda-commands.ts';

interface Options {
  readonly region?: string;
  readonly memory: number;
  readonly disk: number;
  readonly frames?: number;
  readonly stills?: number;
  readonly msPerFrame: number;
  readonly startupMs: number;
  readonly functions?: number;
  readonly json?: boolean;
}

export const addEstimateCommand = (lambda: Command, terminal: Terminal): void => {
  lambda
    .command('estimate')
    .description(
      'What a video, or a number of stills, would cost and how long it would take; asks AWS nothing',
    )
    .option('--frames <count>', 'of the video', positiveInteger)
    .option('--stills <count>', 'instead of a video', positiveInteger)
    .option('--ms-per-frame <ms>', 'of one function; a render tells what it took', positiveNumber, 100)
    .option('--startup-ms <ms>', 'until a function renders its first frame', notNegative, 3_000)
    .option('--functions <count>', 'this many only; absent: 1, 5, 20, 75 and 200', positiveInteger)
    .option('--memory <MB>', 'of the function', positiveInteger, 2048)
    .option('--disk <MB>', 'of the function', positiveInteger, 2048)
    .option(...regionOption)
    .option(...jsonOption)
    .action((options: Options) => estimate(options, terminal));
};

interface Row extends Usage {
  readonly price: number;
}

const estimate = async (options: Options, terminal: Terminal): Promise<void> => {
  const { mayBeSoWide, planUsage, usualWidths } = await import('../../../../platform/aws/estimate.ts');
  const { priceOf } = await import('../../../../platform/aws/price.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const work = workOf(options);
  const region = await toRegion(readVariables(terminal, options.region).region);
  const widths =
    options.functions === undefined
      ? usualWidths.filter((functions) => mayBeSoWide(work, functions))
      : [options.functions];
  const pricing = { region, memoryMb: options.memory, diskMb: options.disk };
  const rows: Row[] = [];
  for (const functions of widths) {
    const usage = planUsage(work, functions);
    rows.push({ ...usage, price: await priceOf(pricing, usage) });
  }
  const currency = region.startsWith('cn-') ? 'CNY' : 'USD';
  if (options.json) return terminal.print(JSON.stringify({ region, currency, estimates: rows }));
  terminal.print(formatTable(rows.map((row) => cellsOf(row, currency))));
  terminal.note(
    `\nFor ${options.msPerFrame} ms a frame and ${options.startupMs} ms to start, ${options.memory} MB in ${region}; without storage and traffic.`,
  );
};

const workOf = ({ frames, stills, msPerFrame, startupMs }: Options): Work => {
  const count = frames ?? stills;
  if (count !== undefined && (frames === undefined || stills === undefined))
    return { kind: frames === undefined ? 'stills' : 'video', count, msPerFrame, startupMs };
  throw new RendermillError('invalid_request', { message: 'Give either --frames or --stills.' });
};

const cellsOf = (row: Row, currency: string): Record<string, string> => ({
  functions: String(row.functions),
  time: `${(row.wallMs / 1_000).toFixed(1)} s`,
  'time of all': `${(row.billedMs / 1_000).toFixed(1)} s`,
  invocations: String(row.invocations),
  [currency]: row.price.toFixed(5),
});
