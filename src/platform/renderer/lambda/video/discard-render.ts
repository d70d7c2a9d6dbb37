import { cancelRenderOnLambda } from '@remotion/lambda-client';
import type { RemoteRender } from '../../contract.ts';
import type { Workplace } from '../workplace.ts';
import { removeObjects } from './clean-up.ts';
import { isTooOld } from './find-before.ts';
import { outputKeyOf, readProgress } from './remote-progress.ts';

/**
 * Ends a render that nobody watches any more; its objects go a little later, when its functions have heard of it. What was begun in another
 * bucket, by an earlier set-up, is left to its function's time limit and to that bucket's own rules. Rejects with the SDK's errors.
 */
export const discardRender = async (workplace: Workplace, remote: RemoteRender): Promise<void> => {
  const { settings, afterwards } = workplace;
  const { bucketName, region, renderId } = remote;
  if (bucketName !== settings.bucketName || region !== settings.region) return;
  const progress = await readProgress(workplace, remote);
  const isOver = progress !== null && (progress.done || progress.fatalErrorEncountered);
  // One that has just begun may have said nothing yet.
  if (!isOver && !isTooOld(remote, settings.clock.now().getTime())) {
    await cancelRenderOnLambda({ region: settings.region, bucketName, renderId });
  }
  const output = progress === null ? null : outputKeyOf(progress);
  afterwards.do((isEarly) => removeObjects(workplace, renderId, output, isEarly));
};
