/** The renders that go on at AWS: this worker starts them, watches them, and takes their files. */
import { createSlotBudget } from '../../domain/lambda/slot-budget.ts';
import { endLeftRenders } from '../../features/renders/end-left-renders.ts';
import { startFeeder } from '../../features/renders/feeder.ts';
import { createRenderProcessor } from '../../features/renders/process.ts';
import type { RunRenderDeps } from '../../features/renders/render-deps.ts';
import { startWakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { QueueWorker } from '../../platform/queue/contract.ts';
import type { RemoteRenderer } from '../../platform/renderer/contract.ts';
import { createLambdaRenderer } from '../../platform/renderer/lambda/lambda-renderer.ts';
import type { Resources } from '../resources.ts';
import { lambdaSettings } from './lambda-settings.ts';

/** The webhook says only that a look is worth it; one that tells no render in particular is worth one for each. */
const hintsOf =
  (listener: Listener) =>
  (renderId: string, wake: () => void): (() => void) =>
    listener.on('rendermill_lambda', (told) => {
      if (told === renderId || told === '') wake();
    });

/** Null: this installation does not render on Lambda. The caller closes the worker. */
export const startLambdaRenders = async (
  resources: Resources,
  shared: Omit<RunRenderDeps, 'renderer' | 'chunks' | 'whenThrottled'>,
): Promise<QueueWorker | null> => {
  const { config, log, lifecycle, db, listener, clock, lambdaQueue: queue } = resources;
  const settings = lambdaSettings(config);
  if (settings === null || queue === null) return null;
  const renderer = await createLambdaRenderer({
    ...settings.renderer,
    budget: createSlotBudget({ db, clock, ...settings.budget }),
    onHint: hintsOf(listener),
    log,
    clock,
  });
  lifecycle.onStop('lambda renderer', () => renderer.close());
  startEndingLeft(resources, renderer);
  const feeder = startFeeder({ db, queue, mode: 'lambda', listener, clock, log });
  lifecycle.onStop('feeder of lambda', () => feeder.stop());
  const worker = await queue.startWorker(
    config.LAMBDA_RENDERS,
    createRenderProcessor({ ...shared, renderer, whenThrottled: config.RENDER_FALLBACK }),
  );
  feeder.wake();
  return worker;
};

/** Whoever ends an export says so at once; this is for what was said while no worker listened. */
const lookForLeftEveryMs = 60_000;

const startEndingLeft = (
  { db, log, listener, lifecycle }: Resources,
  renderer: Pick<RemoteRenderer, 'discard'>,
): void => {
  const ending = startWakeableLoop({
    everyMs: lookForLeftEveryMs,
    round: async () => void (await endLeftRenders({ db, log, renderer })),
    onError: (error) => log.warn({ err: error }, 'renders left at AWS could not be looked for'),
  });
  const off = listener.on('rendermill_lambda_end', ending.wake);
  lifecycle.onStop('left renders', async () => {
    off();
    await ending.stop();
  });
};
