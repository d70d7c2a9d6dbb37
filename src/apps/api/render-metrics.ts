import { renderModes } from '../../core/exports.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import {
  countCapped,
  countChunks,
  type LineFigures,
  lineFigures,
} from '../../domain/exports/line-figures.ts';
import { unservedModes } from '../../domain/exports/unserved.ts';
import { countServing, countWorkers, liveCapacity } from '../../domain/exports/workers.ts';
import type { LabelledValue, Metrics } from '../../platform/http/metrics.ts';
import type { Resources } from '../resources.ts';
import { readOnce } from './read-once.ts';

/** Functions that may run at once at AWS for us, and those that do. */
export interface LambdaSlots {
  readonly limit: number;
  readonly used: number;
}

export interface RenderMetricsOptions {
  readonly admission: Pick<Admission, 'refused'>;
  /** Null where nothing renders on Lambda. */
  readonly lambdaSlots: () => Promise<LambdaSlots | null>;
}

const labelled = (name: string, values: Readonly<Record<string, number>>): LabelledValue[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [name]: key }, value }));

/** What waits, what runs, and who renders. No label has a tenant in it: there would be a series for each. */
export const registerRenderMetrics = (
  metrics: Metrics,
  { db, clock }: Pick<Resources, 'db' | 'clock'>,
  { admission, lambdaSlots }: RenderMetricsOptions,
): void => {
  const read = readOnce(() => lineFigures(db, clock.now()));
  const of = (value: (one: LineFigures) => number) => async (): Promise<LabelledValue[]> =>
    (await read()).map((one) => ({ labels: { render_mode: one.renderMode }, value: value(one) }));
  const byMode = ['render_mode'];

  metrics.gaugeBy(
    'rendermill_exports_waiting',
    'Exports that are accepted and not at work, counted up to 100,000 in the line, and cells of batches that are no exports yet',
    byMode,
    of((one) => one.waiting),
  );
  metrics.gaugeBy(
    'rendermill_exports_running',
    'Exports that are being rendered',
    byMode,
    of((one) => one.running),
  );
  metrics.gaugeBy(
    'rendermill_exports_oldest_waiting_seconds',
    'Since the oldest of those that wait was accepted',
    byMode,
    of((one) => one.oldestSeconds),
  );
  metrics.gaugeBy(
    'rendermill_exports_capped',
    "Exports that wait because their organization's jobs of that tier are as many as the tier allows at once",
    byMode,
    () =>
      Promise.all(
        renderModes.map(async (mode) => ({
          labels: { render_mode: mode },
          value: await countCapped(db, mode),
        })),
      ),
  );
  metrics.gaugeBy(
    'rendermill_chunks',
    'Pieces of videos that have not ended, by state',
    ['status'],
    async () => labelled('status', await countChunks(db)),
  );
  metrics.gaugeBy(
    'rendermill_workers_serving',
    'Live workers that are set up for the mode, paused ones included',
    byMode,
    async () =>
      (await countServing(db)).map((one) => ({
        labels: { render_mode: one.renderMode },
        value: one.workers,
      })),
  );
  const unserved = readOnce(async () => {
    const now = clock.now();
    const modes = new Map((await unservedModes(db, now)).map((one) => [one.renderMode, one.since]));
    return (await read()).map(({ renderMode, waiting, running }) => {
      const since = modes.get(renderMode);
      const exports = since === undefined ? 0 : waiting + running;
      // Where nothing waits, nobody misses a worker.
      const seconds = since === undefined || exports === 0 ? 0 : (now.getTime() - since.getTime()) / 1000;
      return { renderMode, exports, seconds: Math.max(0, seconds) };
    });
  });
  const ofUnserved = (value: 'exports' | 'seconds') => async (): Promise<LabelledValue[]> =>
    (await unserved()).map((one) => ({ labels: { render_mode: one.renderMode }, value: one[value] }));
  metrics.gaugeBy(
    'rendermill_exports_unserved',
    'Exports and cells that wait for a mode which no live worker serves',
    byMode,
    ofUnserved('exports'),
  );
  metrics.gaugeBy(
    'rendermill_exports_unserved_seconds',
    'Since no live worker has served the mode that they wait for; UNSERVED_TIMEOUT_SECONDS ends it',
    byMode,
    ofUnserved('seconds'),
  );
  metrics.gaugeBy('rendermill_workers', 'Live workers by what they do', ['state'], async () =>
    labelled('state', await countWorkers(db)),
  );
  metrics.gauge('rendermill_render_slots', 'Renders that all live workers together can run at once', () =>
    liveCapacity(db),
  );
  metrics.gaugeBy(
    'rendermill_lambda_slots',
    'Lambda functions that may run at once, and those that do',
    ['kind'],
    async () => {
      const slots = await lambdaSlots();
      return slots === null ? [] : labelled('kind', { limit: slots.limit, used: slots.used });
    },
  );
  metrics.counterBy(
    'rendermill_admission_refused_total',
    'Requests that this process refused because too many renders were waiting',
    [],
    async () => [{ labels: {}, value: admission.refused() }],
  );
};
