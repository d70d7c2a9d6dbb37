/** All that this folder has of Remotion, loaded when a command first needs it: its packages and the AWS SDK in them take seconds. */
import type { AwsRegion, FunctionInfo, GetAwsClientInput, GetAwsClientOutput } from '@remotion/lambda';

export type { AwsRegion, FunctionInfo };

export const loadRemotionLambda = () => import('@remotion/lambda');
export const loadRemotionClient = () => import('@remotion/lambda-client');
export const awsRegions = async (): Promise<readonly AwsRegion[]> =>
  (await import('@remotion/lambda-client/regions')).AWS_REGIONS;
/** Of this installation, such as 4.0.527: what a function must have, too. */
export const remotionVersion = async (): Promise<string> => (await import('remotion/version')).VERSION;

type Service = 's3' | 'lambda' | 'sts' | 'servicequotas';

/**
 * A client and its commands, with the credentials that Remotion itself uses (REMOTION_AWS_…, AWS_PROFILE, AWS_ACCESS_KEY_ID …), so
 * that the function and its bucket never come to lie in two accounts.
 */
export const awsService = async <T extends Service>(
  service: T,
  region: AwsRegion,
): Promise<GetAwsClientOutput<T>> => {
  const { getAwsClient } = await loadRemotionClient();
  return getAwsClient({ region, service } as GetAwsClientInput<T>);
};
