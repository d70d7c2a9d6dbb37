import type { RenderMode } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { PlannedOutput } from '../../core/plan-output.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { StoredRequest } from '../../platform/db/schema-rendering.ts';
import { countExports } from '../accounts/projects.ts';
import { emit } from '../events/emit.ts';
import { type Export, exportEnvelope, jobFacts } from './export.ts';
import { askedBefore, inputHash } from './input-hash.ts';
import { type Metered, type Reservation, reserve, reserveCredits } from './limits.ts';

export interface AcceptedOrder {
  readonly id: string;
  readonly projectId: string;
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly renderMode: RenderMode;
  readonly compositionId: string;
  readonly version: string;
  readonly request: StoredRequest;
  readonly planned: PlannedOutput;
  readonly priority: number;
  readonly correlationId: string;
}

/**
 * Reserves limit and credit, writes the export, counts it on its project and records `job_created`; the queue hears of it when
 * the transaction commits. All of it or nothing.
 */
export const acceptExport = async (
  tx: Tx,
  who: Metered,
  order: AcceptedOrder,
  now: Date,
): Promise<{ export: Export; reservation: Reservation }> => {
  const reservation = await reserve(tx, who, 1, now);
  const credits = await reserveCredits(tx, who, { exportId: order.id }, now);
  await countExports(tx, { organizationId: who.organizationId, projectId: order.projectId }, 1, now);
  const { asked_before, ...row } = await insertExport(tx, who, order, reservation, now);
  await emit(tx, {
    name: 'job_created',
    ...exportEnvelope(row, 'server', now),
    properties: {
      ...jobFacts(row, now),
      tier: who.tierName,
      ...plannedFacts(order.planned),
      job_reprocessed_same_input: asked_before,
      ...(credits === null ? {} : { credits_before: credits.before, credits_after: credits.after }),
    },
  });
  await notify(tx, 'rendermill_feed');
  return { export: row, reservation };
};

const plannedFacts = ({ width, height, durationSeconds }: PlannedOutput) => ({
  ...(durationSeconds === null ? {} : { duration_seconds: durationSeconds }),
  ...(width === null || height === null ? {} : { resolution: `${width}x${height}` }),
});

const insertExport = (
  tx: Tx,
  who: Metered,
  order: AcceptedOrder,
  reservation: Reservation,
  now: Date,
): Promise<Export & { readonly asked_before: boolean }> =>
  tx
    .insertInto('export')
    .values({
      id: order.id,
      organization_id: who.organizationId,
      user_id: who.userId,
      project_id: order.projectId,
      kind: order.kind,
      format: order.format,
      render_mode: order.renderMode,
      priority: order.priority,
      composition_id: order.compositionId,
      version: order.version,
      request: JSON.stringify(order.request),
      input_hash: inputHash({
        ...order.planned,
        version: order.version,
        composition_id: order.compositionId,
        kind: order.kind,
        format: order.format,
        request: order.request,
      }),
      width: order.planned.width,
      height: order.planned.height,
      duration: order.planned.durationSeconds,
      tier: who.tierName,
      max_duration: who.tier.maxDurationSeconds,
      charged_day: reservation.day,
      charged_hour: reservation.hour,
      charged_credits: who.tier.creditsPerExport,
      correlation_id: order.correlationId,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .returning(askedBefore.as('asked_before'))
    .executeTakeFirstOrThrow();
