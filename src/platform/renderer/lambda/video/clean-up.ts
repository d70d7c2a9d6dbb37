import { cancelRenderOnLambda } from '@remotion/lambda-client';
import type { RemoteRender } from '../../contract.ts';
import { cancelKey, progressPrefix, type Workplace } from '../workplace.ts';

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

/**
 * Removes what a render wrote into the bucket. `isEarly`: what tells its functions to stop is left, because they look for it only once a
 * second; the bucket's own rules remove it some day. Rejects with the SDK's errors.
 */
export const removeObjects = async (
  { objects }: Workplace,
  renderId: string,
  output: string | null,
  isEarly = false,
): Promise<void> => {
  await objects.deleteAll(progressPrefix(renderId), isEarly ? cancelKey(renderId) : undefined);
  if (output !== null) await objects.deleteAll(output);
};
