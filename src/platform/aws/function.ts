import { RendermillError } from '../../core/errors.ts';
import {
  type AwsRegion,
  awsService,
  loadRemotionClient,
  loadRemotionLambda,
  remotionVersion,
} from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

export interface FunctionSize {
  readonly memoryMb: number;
  readonly diskMb: number;
  readonly timeoutSeconds: number;
}

export interface FunctionOrder extends FunctionSize {
  readonly region: AwsRegion;
}

export interface EnsuredFunction {
  readonly name: string;
  readonly made: boolean;
}

/** Which version and size a function has is its name. */
export const functionName = async ({ memoryMb, diskMb, timeoutSeconds }: FunctionSize): Promise<string> => {
  const { speculateFunctionName } = await loadRemotionClient();
  return speculateFunctionName({
    memorySizeInMb: memoryMb,
    diskSizeInMb: diskMb,
    timeoutInSeconds: timeoutSeconds,
  });
};

type FunctionState = 'absent' | 'ready' | 'pending' | 'failed';

const stateOf = async (region: AwsRegion, name: string): Promise<FunctionState> => {
  const { client, sdk } = await awsService('lambda', region);
  try {
    const { Configuration } = await client.send(new sdk.GetFunctionCommand({ FunctionName: name }));
    if (Configuration?.State === 'Failed') return 'failed';
    return Configuration?.State === 'Pending' ? 'pending' : 'ready';
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return 'absent';
    throw error;
  }
};

/** AWS repeats a failed launch twice unless it is told not to: the same render, three times paid. An interrupted deployment may not have said so. */
const forbidRepetition = async (region: AwsRegion, name: string): Promise<void> => {
  const { client, sdk } = await awsService('lambda', region);
  await client.send(
    new sdk.PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 0 }),
  );
};

/** The function of this size and of exactly our Remotion version; may be called again at any time. */
export const ensureFunction = (order: FunctionOrder): Promise<EnsuredFunction> =>
  atAws(order.region, async () => {
    const { region, memoryMb, diskMb, timeoutSeconds } = order;
    const name = await functionName(order);
    const state = await stateOf(region, name);
    if (state === 'failed')
      throw new RendermillError('lambda_misconfigured', {
        message: `AWS could not make ${name} ready. Remove it (rendermill lambda rm --function ${name} --yes) and deploy again.`,
      });
    if (state !== 'absent') {
      await forbidRepetition(region, name);
      return { name, made: false };
    }
    const { deployFunction } = await loadRemotionLambda();
    await deployFunction({
      region,
      memorySizeInMb: memoryMb,
      diskSizeInMb: diskMb,
      timeoutInSeconds: timeoutSeconds,
      createCloudWatchLogGroup: true,
      logLevel: 'error',
    });
    return { name, made: true };
  });

/** False where there was none. */
export const removeFunction = (region: AwsRegion, name: string): Promise<boolean> =>
  atAws(region, async () => {
    if ((await stateOf(region, name)) === 'absent') return false;
    const { deleteFunction } = await loadRemotionClient();
    await deleteFunction({ region, functionName: name });
    return true;
  });

export interface FunctionVersions {
  /** Remotion's, of the function; as it says itself. */
  readonly deployed: string;
  /** Remotion's, of this installation. */
  readonly ours: string;
}

/** Calls the function, with the one permission that renders need, too. */
export const askFunction = (region: AwsRegion, name: string): Promise<FunctionVersions> =>
  atAws(region, async () => {
    const { getFunctionVersion } = await loadRemotionClient();
    const deployed = await getFunctionVersion({
      region,
      functionName: name,
      logLevel: 'error',
      requestHandler: undefined,
    });
    return { deployed, ours: await remotionVersion() };
  });
