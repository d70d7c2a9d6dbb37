/** What the commands about Lambda have in common. The code for AWS is loaded by their actions: it takes seconds. */
import { RendermillError } from '../../../../core/errors.ts';
import { loadConfig } from '../../../../platform/config/config.ts';
import type { Terminal } from '../../terminal.ts';

export const regionOption = ['--region <name>', 'absent: LAMBDA_REGION'] as const;
export const jsonOption = ['--json', 'print one object'] as const;

export interface LambdaVariables {
  readonly region: string;
  readonly functionName: string | undefined;
  readonly bucket: string | undefined;
  readonly slots: number;
}

/** Only the variables of Lambda: before it is deployed, a configuration that asks for it is not valid yet. */
export const readVariables = ({ environment }: Terminal, region?: string): LambdaVariables => {
  const { LAMBDA_REGION, LAMBDA_SLOTS } = loadConfig({
    LAMBDA_REGION: region ?? environment.LAMBDA_REGION,
    LAMBDA_SLOTS: environment.LAMBDA_SLOTS,
  });
  return {
    region: LAMBDA_REGION,
    functionName: environment.LAMBDA_FUNCTION?.trim() || undefined,
    bucket: environment.LAMBDA_BUCKET?.trim() || undefined,
    slots: LAMBDA_SLOTS,
  };
};

export const requireBucket = ({ bucket }: LambdaVariables): string => {
  if (bucket !== undefined) return bucket;
  throw new RendermillError('invalid_configuration', {
    message: 'LAMBDA_BUCKET is not set. rendermill lambda deploy makes a bucket and says its name.',
  });
};

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Such as 26.9 MB. */
export const formatBytes = (bytes: number): string => {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
};
