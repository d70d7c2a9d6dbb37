import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ApiError } from '../../../client/api-error.ts';
import type { CsvImportOrder, CsvImportPlan, CsvReport } from '../../../client/import-types.ts';
import { maxFileBytes } from '../../../core/csv/csv-limits.ts';
import { type Delimiter, delimiters } from '../../../core/csv/detect-delimiter.ts';
import { type CsvEncoding, csvEncodings } from '../../../core/csv/detect-encoding.ts';
import { type PresetName, presetNames } from '../../../core/csv/import-options.ts';
import type { RowProblem } from '../../../core/csv/row-problem.ts';
import { RendermillError } from '../../../core/errors.ts';
import { type RenderMode, renderModes } from '../../../core/exports.ts';
import { formatsOfKind, type OutputFormat, stillFormats, videoFormats } from '../../../core/output.ts';
import { commandLineUser } from '../../command-line-user.ts';
import { ExitCode } from '../exit-code.ts';
import { addServiceOptions, openClient, type ServiceOptions } from '../find-service.ts';
import { followCampaign } from '../follow-campaign.ts';
import { helpEnd } from '../help.ts';
import { positiveInteger, positiveNumber } from '../options.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

type Sizes = CsvImportOrder['sizes'];
type Mapping = NonNullable<CsvImportOrder['mapping']>;

interface Options extends ServiceOptions {
  readonly composition: string;
  readonly compositionVersion?: string;
  readonly sizes: Sizes;
  readonly format: OutputFormat;
  readonly scale?: number;
  readonly quality?: number;
  readonly preset?: PresetName;
  readonly map: Mapping;
  readonly nameColumn?: string;
  readonly localeColumn?: string;
  readonly delimiter?: Delimiter;
  readonly encoding?: CsvEncoding;
  readonly decimal?: 'point' | 'comma';
  readonly onError?: 'abort' | 'skip';
  readonly user: string;
  readonly project: string;
  readonly campaignId?: string;
  readonly renderMode?: RenderMode;
  readonly reuse: boolean;
  readonly dryRun?: boolean;
  readonly idempotencyKey?: string;
  readonly wait: boolean;
  readonly json?: boolean;
}

const sizePattern = /^([^=@,]+)=(\d+)x(\d+)(?:@([^=@,]+))?$/;

/** `square=1080x1080,story=1080x1920@phone`: name, width, height, and the device that it is for. */
export const parseSizes = (text: string): Sizes =>
  text.split(',').map((one) => {
    const match = sizePattern.exec(one.trim());
    if (!match)
      throw new InvalidArgumentError('Expected sizes such as square=1080x1080,story=1080x1920@phone.');
    const [, name = '', width, height, device] = match;
    const size = { name: name.trim(), width: Number(width), height: Number(height) };
    return device === undefined ? size : { ...size, device: device.trim() };
  });

const splitPair = (text: string, expected: string): readonly [string, string] => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`Expected ${expected}.`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
};

/** Without a column: none fills it. */
const mapColumn = (text: string, before: Mapping): Mapping => {
  const [prop, column] = splitPair(text, 'prop=column, such as price=Preis');
  return { ...before, [prop]: column === '' ? null : column };
};

/** JSON where it is JSON, else the text as it is. */
const setProp = (text: string): readonly [string, unknown] => {
  const [prop, value] = splitPair(text, 'prop=value, such as currency=USD');
  try {
    return [prop, JSON.parse(value)];
  } catch {
    return [prop, value];
  }
};

const delimiterNames: Readonly<Record<string, Delimiter>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  pipe: '|',
};

const delimiter = (text: string): Delimiter => {
  const found = delimiterNames[text] ?? delimiters.find((one) => one === text);
  if (found === undefined)
    throw new InvalidArgumentError(`Expected ${Object.keys(delimiterNames).join(', ')}.`);
  return found;
};

export const addImportCsvCommand = (program: Command, terminal: Terminal): void => {
  // One object for both options: what is set is mapped to a constant.
  const constants: Record<string, { default: unknown }> = {};
  const command = program
    .command('import-csv')
    .description('Imports a CSV file as a batch: each of its rows in each of the sizes')
    .argument('<file>', 'comma, semicolon, tab or pipe; UTF-8, UTF-16 or Windows-1252')
    .requiredOption('--composition <id>', 'id of a registered composition')
    .requiredOption(
      '--sizes <list>',
      'name=WIDTHxHEIGHT, with commas between; @device behind it if you like',
      parseSizes,
    )
    .addOption(new Option('--format <format>').choices([...stillFormats, ...videoFormats]).default('png'))
    .option('--scale <factor>', "multiplies the file's pixels, not the layout", positiveNumber)
    .option('--quality <1-100>', 'not for png and gif', positiveInteger)
    .addOption(new Option('--preset <shop>', 'whose export the file is').choices(presetNames))
    .option('--map <prop=column>', 'which column fills a prop; may be repeated', mapColumn, {})
    .option('--set <prop=value>', 'the same for every row; may be repeated', (text: string) => {
      const [prop, value] = setProp(text);
      constants[prop] = { default: value };
    })
    .option('--name-column <column>', "what a row's files are named by")
    .option('--locale-column <column>', 'default: a column called locale, if there is one')
    .option('--delimiter <name>', 'default: detected', delimiter)
    .addOption(new Option('--encoding <name>', 'default: detected').choices(csvEncodings))
    .addOption(new Option('--decimal <name>', 'default: told from each number').choices(['point', 'comma']))
    .addOption(
      new Option('--on-error <what>', 'a bad row: abort, or import the others').choices(['abort', 'skip']),
    )
    .option('--composition-version <version>', 'default: the newest')
    .option('--campaign-id <id>', 'your own name for the batch')
    .option('--user <id>', 'whose usage this is', commandLineUser)
    .option('--project <id>', 'where it belongs', 'cli')
    .addOption(new Option('--render-mode <mode>', 'default: as the service is set').choices(renderModes))
    .option('--no-reuse', 'render again what was rendered before')
    .option('--no-wait', 'do not follow the batch to its end')
    .option('--dry-run', 'read and judge the file, accept nothing')
    .option('--idempotency-key <key>', 'the same key within a day is the same batch')
    .option('--json', 'what the service answers, as JSON');
  addServiceOptions(command)
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill import-csv products.csv --composition product-card --sizes square=1080x1080 --dry-run',
          'rendermill import-csv products.csv --composition product-card --sizes square=1080x1080,story=1080x1920@phone --name-column sku',
          'rendermill import-csv shop.csv --preset shopify --composition product-card --sizes card=1200x628 --set currency=USD --on-error skip',
        ],
        ['RENDERMILL_URL', 'RENDERMILL_API_KEY', 'RENDERMILL_HOME'],
      ),
    )
    .action((path: string, options: Options) => importFile(path, options, constants, terminal));
};

const importFile = async (
  path: string,
  options: Options,
  constants: Mapping,
  terminal: Terminal,
): Promise<void> => {
  const file = await openFile(path);
  const client = await openClient(options, terminal);
  const order = toOrder(options, constants);
  const left = new AbortController();
  const off = terminal.onInterrupt(() => left.abort());
  try {
    const { idempotencyKey } = options;
    const given = { signal: left.signal, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
    if (options.dryRun) return tellPlan(await client.planCsvImport(file, order, given), options, terminal);
    const accepted = await client.importCsv(file, order, given);
    if (options.json) terminal.print(JSON.stringify(accepted));
    else {
      tellProblems(accepted, terminal);
      terminal.print(`Accepted ${accepted.id}: ${summary(accepted)}.`);
    }
    off();
    if (options.wait) await followCampaign(client, accepted.id, options, terminal);
  } catch (error) {
    if (left.signal.aborted) throw new ExitCode(interrupted);
    throw tellRefusal(error, options, terminal);
  } finally {
    off();
  }
};

/** 128 and the number of SIGINT. */
const interrupted = 130;

const openFile = async (path: string): Promise<Blob> => {
  const found = await stat(path).catch((cause: Error) => {
    throw new RendermillError('invalid_request', {
      message: `${path} cannot be read: ${cause.message}.`,
      cause,
    });
  });
  if (!found.isFile()) throw new RendermillError('invalid_request', { message: `${path} is not a file.` });
  if (found.size > maxFileBytes) {
    throw new RendermillError('payload_too_large', {
      message: `${path} has ${found.size} bytes; a CSV file may have up to ${maxFileBytes / 1024 / 1024} MB. Split it: each part needs the header.`,
    });
  }
  return openAsBlob(path);
};

const toOrder = (options: Options, constants: Mapping): CsvImportOrder => {
  const given: Record<string, unknown> = {
    version: options.compositionVersion,
    campaignId: options.campaignId,
    scale: options.scale,
    quality: options.quality,
    preset: options.preset,
    nameColumn: options.nameColumn,
    localeColumn: options.localeColumn,
    delimiter: options.delimiter,
    encoding: options.encoding,
    decimal: options.decimal,
    onError: options.onError,
    renderMode: options.renderMode,
  };
  return {
    userId: options.user,
    projectId: options.project,
    compositionId: options.composition,
    kind: formatsOfKind('still').includes(options.format) ? 'still' : 'video',
    format: options.format,
    sizes: options.sizes,
    reuse: options.reuse,
    mapping: { ...constants, ...options.map },
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
};

const summary = ({ rows, accepted, refused, skipped, cells }: CsvReport): string =>
  [
    `${accepted} of ${rows} rows, ${cells} cells`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');

const tellPlan = (plan: CsvImportPlan, options: Options, terminal: Terminal): void => {
  if (options.json) terminal.print(JSON.stringify(plan));
  else {
    tellProblems(plan, terminal);
    for (const [prop, column] of Object.entries(plan.mapping))
      terminal.print(`  ${prop} ← ${column ?? '(set)'}`);
    terminal.print(
      `A dry run: ${summary(plan)}; ${plan.encoding}, ${nameOf(plan.delimiter)}. Nothing was accepted.`,
    );
    if (plan.refusal) terminal.note(`It would be refused (${plan.refusal.code}): ${plan.refusal.message}`);
  }
  if (!plan.allowed) throw new ExitCode(1);
};

const nameOf = (text: string): string =>
  Object.entries(delimiterNames).find(([, character]) => character === text)?.[0] ?? text;

const maxShown = 50;

const tellProblems = (
  { problems, problemCount }: Pick<CsvReport, 'problems' | 'problemCount'>,
  terminal: Terminal,
) => {
  if (problems.length === 0) return;
  const shown = problems.slice(0, maxShown);
  terminal.note(
    formatTable(
      shown.map((one) => ({
        line: String(one.line),
        column: one.column ?? '',
        reason: one.reason,
        value: one.value ?? '',
      })),
    ),
  );
  if (problemCount > shown.length) terminal.note(`and ${problemCount - shown.length} more`);
};

/** The rows, where that is what it was refused for. */
const tellRefusal = (error: unknown, options: Options, terminal: Terminal): unknown => {
  if (!(error instanceof ApiError)) return error;
  const { code, message, details } = error;
  if (options.json) {
    terminal.print(JSON.stringify({ error: { code, message, details } }));
    return new ExitCode(1);
  }
  if (code === 'rows_refused' && details !== undefined)
    tellProblems(details as unknown as { problems: RowProblem[]; problemCount: number }, terminal);
  return error;
};
