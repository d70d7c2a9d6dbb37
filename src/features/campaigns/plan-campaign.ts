/** The dry run: what a campaign would be, and why it would be refused; the real checks, in a transaction that is rolled back. */
import { z } from 'zod';
import { maxCells } from '../../core/batch-order.ts';
import { enoughExports, estimateBatch } from '../../core/campaign-estimate.ts';
import type { CampaignRequest } from '../../core/campaign-request.ts';
import { chooseRenderMode, type OrganizationModes, type RenderModes } from '../../core/choose-render-mode.ts';
import { errorCatalog, RendermillError } from '../../core/errors.ts';
import { type RenderMode, renderModes } from '../../core/exports.ts';
import { newId } from '../../core/ids.ts';
import { shareOf } from '../../core/lambda/slots.ts';
import { type PlannedOutput, planOutput } from '../../core/plan-output.ts';
import { renderModesOf } from '../../domain/accounts/organizations.ts';
import { type Composition, getComposition } from '../../domain/compositions/find-compositions.ts';
import { creditBalance } from '../../domain/credits/ledger.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { limitState, type Metered, reserve, reserveCredits } from '../../domain/exports/limits.ts';
import { measurePace } from '../../domain/exports/measure-pace.ts';
import { assertCells, assertSize, meteredUser, shapeOf } from '../../domain/exports/prepare-batch.ts';
import { liveCapacity, liveLambdaCapacity } from '../../domain/exports/workers.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import { withoutTrace } from '../../platform/db/without-trace.ts';
import { countReusable } from './count-reusable.ts';
import { judgeVariants, refusalOf } from './judge-variants.ts';
import { sizeSchema } from './present-campaign.ts';

const limitSchema = z.object({
  limit: z.int().nullable(),
  remaining: z.int().nullable(),
  resetAt: z.iso.datetime(),
});

export const planSchema = z
  .object({
    wouldBeAccepted: z.boolean(),
    refusals: z
      .array(
        z.object({
          code: z.string(),
          message: z.string(),
          details: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .describe('Each as the request itself would answer it'),
    compositionId: z.string(),
    version: z.string(),
    renderMode: z.enum(renderModes),
    cells: z.int(),
    variants: z.int(),
    sizes: z.array(
      sizeSchema.extend({
        pixels: z.object({ width: z.int(), height: z.int() }).nullable().describe('Of the file'),
      }),
    ),
    tier: z.string(),
    now: limitSchema,
    after: limitSchema.describe('Once it were accepted'),
    credits: z.object({ needed: z.int(), balance: z.int() }),
    reusable: z
      .int()
      .nullable()
      .describe('Cells whose file is there already; null: not known before a worker has rendered stills'),
    estimateSeconds: z
      .number()
      .nullable()
      .describe(
        `Null while no worker is live, and on Lambda before ${enoughExports} exports of this composition and format were rendered there`,
      ),
    estimateBasis: z
      .enum(['measured', 'default'])
      .nullable()
      .describe('From earlier exports of this composition and format, or a first guess'),
    estimateCost: z
      .number()
      .nullable()
      .describe('US dollars at AWS, from what earlier exports cost there; null: not known, or not on Lambda'),
    renderSlots: z
      .int()
      .describe(
        'Renders of this mode that all live workers together can run at once; on Lambda each is a function, and the budget of functions counts too',
      ),
  })
  .meta({ id: 'CampaignPlan', description: 'What the campaign would be; nothing was recorded' });

export type CampaignPlan = z.infer<typeof planSchema>;

interface PlanDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
  /** Lambda functions that may run at once. */
  readonly lambdaSlots: () => Promise<number>;
}

/** Throws `composition_not_found`: without it there is nothing to plan; and the signal's reason, while variants are judged. */
export const planCampaign = async (
  deps: PlanDeps,
  organizationId: string,
  request: CampaignRequest,
  signal: AbortSignal,
): Promise<CampaignPlan> => {
  const { db, clock } = deps;
  const now = clock.now();
  const composition = await getComposition(db, organizationId, request.compositionId, request.version);
  const modes = await renderModesOf(db, organizationId, deps.renderModes);
  const misfits = refusalOf(composition, await judgeVariants(composition, request.variants, signal));
  const metered = await withoutTrace(db, (tx) => meter(tx, organizationId, request, composition, now));
  const refusals = [
    ...(misfits ? [misfits] : []),
    ...(await installationRefusals(deps, request, modes)),
    ...metered.refusals,
  ];
  const reusable = await countReusable(db, composition, request, now);
  const renderMode = request.renderMode ?? modes.default;
  const slots = await slotsOf(deps, renderMode);
  const pace = await measurePace(db, { ...request, organizationId, renderMode });
  const outputs = request.sizes.map((size) => outputOf(request, size, composition));
  const estimate = estimateBatch(
    { kind: request.kind, renderMode, work: workOf(request, outputs, composition, reusable ?? 0) },
    pace,
    slots,
  );
  return {
    wouldBeAccepted: refusals.length === 0,
    refusals: refusals.map(({ code, message, details }) => ({
      code,
      message,
      ...(details ? { details } : {}),
    })),
    compositionId: composition.id,
    version: composition.version,
    renderMode,
    cells: cellsOf(request),
    variants: request.variants.length,
    sizes: request.sizes.map(({ name, width, height, device = null }, index) => ({
      name,
      width,
      height,
      device,
      pixels: pixelsOf(outputs[index]),
    })),
    ...metered.shown,
    reusable,
    estimateSeconds: estimate?.seconds ?? null,
    estimateBasis: estimate?.basis ?? null,
    estimateCost: estimate?.cost ?? null,
    renderSlots: slots,
  };
};

/** On Lambda a cell takes a function, and batches never take what is kept for those who wait in front of a screen. */
const slotsOf = async ({ db, lambdaSlots }: PlanDeps, mode: RenderMode): Promise<number> =>
  mode === 'local'
    ? liveCapacity(db)
    : Math.min(await liveLambdaCapacity(db), shareOf('batch', await lambdaSlots()));

/** For reasons that lie neither in the request nor with its user. */
const installationRefusals = async (
  { admission }: PlanDeps,
  request: CampaignRequest,
  modes: OrganizationModes,
): Promise<RendermillError[]> => {
  await admission.look();
  const overloaded = admission.refusalOf(cellsOf(request));
  const unavailable = await refusalsOf([() => chooseRenderMode(modes, request.renderMode)]);
  return overloaded ? [...unavailable, overloaded] : unavailable;
};

const cellsOf = ({ variants, sizes }: CampaignRequest): number => variants.length * sizes.length;

const meter = async (
  tx: Tx,
  organizationId: string,
  request: CampaignRequest,
  composition: Composition,
  now: Date,
) => {
  const who = await meteredUser(tx, organizationId, request.userId);
  const cells = cellsOf(request);
  const before = await limitState(tx, who, now);
  const balance = await creditBalance(tx, who);
  const run = { batchId: newId(now), run: 1, cells };
  const refusals = await refusalsOf([
    () => assertCells(request.variants.length, request.sizes.length),
    ...request.sizes.map((size) => () => assertSize(request, size, composition, who)),
    () => reserve(tx, who, cells, now),
    () => reserveCredits(tx, who, run, now),
  ]);
  const after = before.remaining === null ? null : Math.max(0, before.remaining - cells);
  const resetAt = before.resetAt.toISOString();
  return {
    refusals,
    shown: {
      tier: who.tierName,
      now: { limit: before.limit, remaining: before.remaining, resetAt },
      after: { limit: before.limit, remaining: after, resetAt },
      credits: { needed: creditsFor(who, cells), balance },
    },
  };
};

const creditsFor = ({ tier }: Metered, cells: number): number => tier.creditsPerExport * cells;

/** What each of them would refuse; a failure of ours stays one. */
const refusalsOf = async (checks: readonly (() => unknown)[]): Promise<RendermillError[]> => {
  const refusals: RendermillError[] = [];
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof RendermillError) || errorCatalog[error.code].status >= 500) throw error;
      refusals.push(error);
    }
  }
  return refusals;
};

/** Null for a size that cannot be rendered. */
const outputOf = (
  { kind, scale, frame, frameRange }: CampaignRequest,
  { width, height }: CampaignRequest['sizes'][number],
  composition: Composition,
): PlannedOutput | null => {
  try {
    return planOutput({ kind, scale, frame, frameRange, width, height }, shapeOf(composition));
  } catch (error) {
    if (error instanceof RendermillError) return null;
    throw error;
  }
};

const pixelsOf = (output: PlannedOutput | null | undefined) =>
  output && output.width !== null && output.height !== null
    ? { width: output.width, height: output.height }
    : null;

/** Of what is left once reusable files are taken off, in proportion. */
const workOf = (
  request: CampaignRequest,
  outputs: readonly (PlannedOutput | null)[],
  composition: Composition,
  reusable: number,
): number => {
  const cells = Math.min(cellsOf(request), maxCells);
  const one = outputs.reduce((sum, output) => sum + workOfOne(request, output, composition), 0);
  return one * request.variants.length * (1 - Math.min(1, reusable / cells));
};

const workOfOne = (
  { kind }: CampaignRequest,
  output: PlannedOutput | null,
  composition: Composition,
): number => {
  const megapixels = ((output?.width ?? 0) * (output?.height ?? 0)) / 1e6;
  if (kind === 'still') return megapixels;
  // Where only the composition itself can tell, its default length has to do.
  const ownSeconds = (composition.duration_in_frames ?? 0) / (composition.fps ?? 30);
  return megapixels * (output?.durationSeconds ?? ownSeconds);
};
