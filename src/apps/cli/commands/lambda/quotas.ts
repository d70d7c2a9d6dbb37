import type { Command } from 'commander';
import type { Quotas } from '../../../../platform/aws/quotas.ts';
import { formatTable } from '../../table.ts';
import type { Terminal } from '../../terminal.ts';
import { jsonOption, readVariables, regionOption } from './lambda-commands.ts';

interface Options {
  readonly region?: string;
  readonly json?: boolean;
}

export const addQuotasCommand = (lambda: Command, terminal: Terminal): void => {
  lambda
    .command('quotas')
    .description('How many functions the account may run at once, and what LAMBDA_SLOTS should be')
    .option(...regionOption)
    .option(...jsonOption)
    .action((options: Options) => show(options, terminal));
};

const show = async (options: Options, terminal: Terminal): Promise<void> => {
  const { burstPerTenSeconds, mostSlots, readQuotas } = await import('../../../../platform/aws/quotas.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const { region: name, slots } = readVariables(terminal, options.region);
  const region = await toRegion(name);
  const quotas = await readQuotas(region);
  const most = mostSlots(quotas);
  if (options.json)
    return terminal.print(
      JSON.stringify({ region, ...quotas, burstPerTenSeconds, slots: { configured: slots, most } }),
    );
  terminal.print(formatTable(rowsOf(quotas, burstPerTenSeconds)));
  terminal.print(`\n${adviceOf(slots, most)}`);
  if (quotas.concurrencyByDefault !== null && quotas.concurrency < quotas.concurrencyByDefault)
    terminal.print(
      `The account has less than AWS' default of ${quotas.concurrencyByDefault}: ask for more in the console, Service Quotas, AWS Lambda, Concurrent executions.`,
    );
};

const rowsOf = (quotas: Quotas, burst: number): Record<string, string>[] => [
  { limit: 'concurrent functions', value: String(quotas.concurrency) },
  { limit: "AWS' default for them", value: String(quotas.concurrencyByDefault ?? 'unknown') },
  {
    limit: 'of them not reserved',
    value: String(quotas.unreserved ?? 'unknown (lambda:GetAccountSettings is not permitted)'),
  },
  { limit: 'rise within 10 seconds', value: `${burst} for each function` },
];

const adviceOf = (slots: number, most: number): string =>
  slots > most
    ? `LAMBDA_SLOTS is ${slots}, more than there are: set it to ${most}, less what other functions of this account and region run at once.`
    : `LAMBDA_SLOTS is ${slots}; it may be up to ${most}, less what other functions of this account and region run at once.`;
