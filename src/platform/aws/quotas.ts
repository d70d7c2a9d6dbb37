import { type AwsRegion, awsService } from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

/** "Concurrent executions" of Lambda. */
const concurrencyQuota = { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' };

/** By how much the concurrency of one function may rise in ten seconds: AWS' figure for every account, which none can change. */
export const burstPerTenSeconds = 1_000;

export interface Quotas {
  /** Functions at once in the account and region. */
  readonly concurrency: number;
  /** What AWS gives an account that has not asked for more; new ones often have less. */
  readonly concurrencyByDefault: number | null;
  /** What is left for functions to which nothing is reserved, ours among them; null where the credentials may not ask. */
  readonly unreserved: number | null;
}

export const readQuotas = (region: AwsRegion): Promise<Quotas> =>
  atAws(region, async () => {
    const { client, sdk } = await awsService('servicequotas', region);
    const [applied, byDefault, account] = await Promise.all([
      client.send(new sdk.GetServiceQuotaCommand(concurrencyQuota)),
      client.send(new sdk.GetAWSDefaultServiceQuotaCommand(concurrencyQuota)),
      readAccountLimit(region),
    ]);
    const concurrencyByDefault = byDefault.Quota?.Value ?? null;
    return {
      concurrency: account?.concurrent ?? applied.Quota?.Value ?? concurrencyByDefault ?? 0,
      concurrencyByDefault,
      unreserved: account?.unreserved ?? null,
    };
  });

/** Lambda's own word is the one that it acts upon. */
const readAccountLimit = async (region: AwsRegion) => {
  const { client, sdk } = await awsService('lambda', region);
  try {
    const { AccountLimit } = await client.send(new sdk.GetAccountSettingsCommand({}));
    return {
      concurrent: AccountLimit?.ConcurrentExecutions,
      unreserved: AccountLimit?.UnreservedConcurrentExecutions,
    };
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('AccessDenied')) return null;
    throw error;
  }
};

/** LAMBDA_SLOTS may be this high where the account runs nothing else. */
export const mostSlots = ({ concurrency, unreserved }: Quotas): number => unreserved ?? concurrency;
