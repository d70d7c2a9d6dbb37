import { getRenderProgress } from '@remotion/lambda-client';
import type { RemoteRender } from '../../contract.ts';
import type { Workplace } from '../workplace.ts';

export type RemoteProgress = Awaited<ReturnType<typeof getRenderProgress>>;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'NoSuchKey' || /^No render with ID/.test(error.message));

/** One look into the bucket: no function is invoked for it. Null: there is no such render. Rejects with the SDK's errors. */
export const readProgress = async (
  { settings }: Workplace,
  { renderId, bucketName, functionName }: RemoteRender,
): Promise<RemoteProgress | null> => {
  try {
    return await getRenderProgress({
      renderId,
      bucketName,
      functionName,
      region: settings.region,
      skipLambdaInvocation: true,
    });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** Where the output lies or will lie; null as long as the launch function has not said it. */
export const outputKeyOf = ({ outKey, renderMetadata }: RemoteProgress): string | null => {
  if (outKey !== null) return outKey;
  const outName = renderMetadata?.outName;
  return typeof outName === 'object' ? outName.key : null;
};
