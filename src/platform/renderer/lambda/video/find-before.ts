import type { RemoteRender } from '../../contract.ts';
import { parseFunctionName } from '../function-name.ts';
import { cancelKey, type Workplace } from '../workplace.ts';
import { type RemoteProgress, readProgress } from './remote-progress.ts';

/** After the function's own time limit nothing can come of a render any more. */
const toleranceMs = 30_000;

/** Nothing of it can run any more. */
export const isTooOld = ({ startedAt, functionName }: RemoteRender, nowMs: number): boolean =>
  nowMs > Date.parse(startedAt) + parseFunctionName(functionName).timeoutSeconds * 1_000 + toleranceMs;

/**
 * The render that an earlier attempt began, if anything can still come of it: it has ended well, or goes on and was not told to stop.
 * Null: another must be begun. Rejects with the SDK's errors.
 */
export const findBefore = async (
  workplace: Workplace,
  before: RemoteRender,
): Promise<RemoteProgress | null> => {
  const { settings, objects } = workplace;
  if (before.bucketName !== settings.bucketName || before.region !== settings.region) return null;
  const progress = await readProgress(workplace, before);
  if (progress === null || progress.fatalErrorEncountered) return null;
  if (progress.done) return progress;
  if (isTooOld(before, settings.clock.now().getTime())) return null;
  const isStopped = await objects.exists(cancelKey(before.renderId));
  return isStopped ? null : progress;
};
