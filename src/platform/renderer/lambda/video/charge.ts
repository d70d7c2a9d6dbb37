import type { RendermillError } from '../../../../core/errors.ts';
import type { RemoteRender } from '../../contract.ts';
import type { HeldSlots } from '../slots.ts';
import type { Workplace } from '../workplace.ts';
import { removeObjects, stopRemote } from './clean-up.ts';

/** What one attempt answers for until it has ended. */
export interface Charge {
  readonly slots: HeldSlots;
  /** Null: not begun yet. */
  remote: RemoteRender | null;
  /** Key of the output. */
  output: string | null;
  /** It said itself that it has ended. */
  isOver: boolean;
}

/** These say nothing of the render: it may go on, or lie there finished, and whoever comes next finds it. */
const leavesRunning = (error: RendermillError, signal: AbortSignal): boolean => {
  if (signal.aborted) return signal.reason !== 'canceled';
  return error.code === 'lambda_unavailable' || error.code === 'lambda_throttled';
};

/** After its file has come. */
export const settleSuccess = async (
  workplace: Workplace,
  { slots, remote, output }: Charge,
): Promise<void> => {
  await slots.release();
  if (remote === null) return;
  const { renderId } = remote;
  await removeObjects(workplace, renderId, output).catch((error: unknown) =>
    workplace.settings.log.warn({ err: error, renderId }, 'objects of a Lambda render not removed'),
  );
};

/** Of a render that is left running the slots are not given back: they run out when nobody renews them. */
export const settleFailure = async (
  workplace: Workplace,
  { slots, remote, output, isOver }: Charge,
  error: RendermillError,
  signal: AbortSignal,
): Promise<void> => {
  if (remote === null) return slots.release();
  if (!isOver && leavesRunning(error, signal)) return;
  if (!isOver) await stopRemote(workplace, remote);
  // Its functions hear of the end by an object that lies there too, and use their slots until then.
  workplace.afterwards.do(async (isEarly) => {
    await slots.release();
    await removeObjects(workplace, remote.renderId, output, isEarly);
  });
};
