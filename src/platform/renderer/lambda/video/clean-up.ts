import { cancelRenderOnLambda } from '@remotion/lambda-client';
import type { RemoteRender } from '../../contract.ts';
import { progressPrefix, type Workplace } from '../workplace.ts';

/** Tells its functions to stop; they hear of it within a second or so. What goes wrong is logged. */
export const stopRemote = async (
  { settings: { region, log } }: Workplace,
  { renderId, bucketName }: RemoteRender,
): Promise<void> => {
  try {
    await cancelRenderOnLambda({ region, bucketName, renderId });
  } catch (error) {
    log.warn({ err: error, renderId }, 'Lambda render not told to stop');
  }
};

/** Removes what a render wrote into the bucket. Rejects with the SDK's errors. */
export const removeObjects = async (
  { objects }: Workplace,
  renderId: string,
  output: string | null,
): Promise<void> => {
  await objects.deleteAll(progressPrefix(renderId));
  if (output !== null) await objects.deleteAll(output);
};
