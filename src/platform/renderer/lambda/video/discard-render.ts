import { cancelRenderOnLambda } from '@remotion/lambda-client';
import type { RemoteRender } from '../../contract.ts';
import { cancelKey, type Workplace } from '../workplace.ts';
import { removeObjects } from './clean-up.ts';
import { isTooOld } from './find-before.ts';
import { outputKeyOf, readProgress } from './remote-progress.ts';

/**
 * Ends a render that nobody watches any more; its objects go a little later, when its functions have heard of it. What was begun in another
 * bucket, by an earlier set-up, is left to its function's time limit and to that bucket's own rules. Rejects with the SDK's errors.
 */
export const discardRender = async (workplace: Workplace, remote: RemoteRender): Promise<void> => {
  const { settings, objects, afterwards } = workplace;
  const { bucketName, region, renderId } = remote;
  if (bucketName !== settings.bucketName || region !== settings.region) return;
  const progress = await readProgress(workplace, remote);
  const isTooLate = isTooOld(remote, settings.clock.now().getTime());
  if (progress === null) {
    // It is gone, or has just begun and says nothing yet; Remotion's client refuses to stop that one.
    if (!isTooLate) await objects.putText(cancelKey(renderId), '{}', 'application/json');
    return;
  }
  const isOver = progress.done || progress.fatalErrorEncountered || isTooLate;
  if (!isOver) await cancelRenderOnLambda({ region: settings.region, bucketName, renderId });
  const output = outputKeyOf(progress);
  afterwards.do((isEarly) => removeObjects(workplace, renderId, output, isEarly));
};
