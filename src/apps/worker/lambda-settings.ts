import type { SlotBudgetOptions } from '../../domain/lambda/slot-budget.ts';
import type { Config } from '../../platform/config/config.ts';
import { parseFunctionName } from '../../platform/renderer/lambda/function-name.ts';
import type { LambdaRendererOptions } from '../../platform/renderer/lambda/options.ts';

/** For the first functions of a render to be counted before the last is heard of. */
const graceSeconds = 60;

export interface LambdaSettings {
  readonly renderer: Omit<LambdaRendererOptions, 'budget' | 'onHint' | 'log' | 'clock'>;
  readonly budget: Omit<SlotBudgetOptions, 'db' | 'clock'>;
}

/** Null: Lambda is not set up. */
export const lambdaSettings = (config: Config): LambdaSettings | null => {
  const { LAMBDA_FUNCTION: functionName, LAMBDA_BUCKET: bucketName, LAMBDA_REGION: region } = config;
  if (functionName === undefined || bucketName === undefined) return null;
  return {
    renderer: {
      region,
      functionName,
      bucketName,
      delayRenderTimeoutMs: config.DELAY_RENDER_TIMEOUT_SECONDS * 1000,
      launchWatchdogMs: config.STALL_TIMEOUT_SECONDS * 1000,
      ...(config.LAMBDA_SITE_URL === undefined
        ? {}
        : { siteBaseUrl: config.LAMBDA_SITE_URL.replace(/\/$/, '') }),
      ...webhookOf(config),
    },
    budget: {
      scope: region,
      ceiling: config.LAMBDA_SLOTS,
      // Whoever held the slots may have died, and its functions run on to their end.
      leaseSeconds: parseFunctionName(functionName).timeoutSeconds + graceSeconds,
    },
  };
};

const webhookOf = ({ PUBLIC_URL: url, LAMBDA_WEBHOOK_SECRET: secret }: Config) =>
  url === undefined || secret === undefined
    ? {}
    : { webhook: { url: new URL('/api/lambda/webhook', url).href, secret } };
