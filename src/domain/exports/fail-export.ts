import type { ErrorCode } from '../../core/errors.ts';
import { cutText, maxReasonLength, storableText } from '../../core/storable-text.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { emit } from '../events/emit.ts';
import { countEndsOf, lockRunsOf } from './cells.ts';
import { dropChunks } from './chunks/drop-chunks.ts';
import {
  type Export,
  endSignals,
  exportEnvelope,
  type Fence,
  jobFacts,
  jobTimes,
  renderAttempt,
} from './export.ts';
import { giveBack } from './give-back.ts';
import { lockHeldExport } from './held-export.ts';
import { tellOfRemoteRenders } from './remote-render.ts';

/** As it is kept: what Postgres takes, and no more than a person reads. */
export const reasonText = (text: string): string => storableText(cutText(text, maxReasonLength));

export interface FailureReason {
  readonly code: ErrorCode;
  /** In words that the tenant's developer understands. */
  readonly text: string;
}

const isTimeout = (code: ErrorCode): boolean => code === 'render_timeout' || code === 'render_stalled';

/** Failed for good: the reason kept, limit and credit given back, recorded. Throws `render_lost` as completeExport does. */
export const failExport = async (tx: Tx, fence: Fence, given: FailureReason, now: Date): Promise<Export> => {
  const reason = { code: given.code, text: reasonText(given.text) };
  const held = await lockHeldExport(tx, fence);
  await lockRunsOf(tx, [held]);
  const row = await tx
    .updateTable('export')
    .set({
      status: 'failed',
      error_code: reason.code,
      error_text: reason.text,
      failed_at: now,
      updated_at: now,
    })
    .where('id', '=', held.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await dropChunks(tx, [row]);
  await recordFailure(tx, row, reason, now);
  await giveBack(tx, [row], 'worker', now);
  await tellOfRemoteRenders(tx, [row]);
  await notify(tx, 'rendermill_export', row.id);
  await notify(tx, 'rendermill_feed');
  await countEndsOf(tx, [row], () => ({ failed: 1 }), 'worker', now);
  return row;
};

const recordFailure = async (tx: Tx, row: Export, reason: FailureReason, now: Date) => {
  const envelope = exportEnvelope(row, 'worker', now);
  const facts = {
    ...jobFacts(row, now),
    ...jobTimes(row, now),
    attempt: renderAttempt(row),
    error_code: reason.code,
  };
  if (isTimeout(reason.code)) await emit(tx, { name: 'job_timeout', ...envelope, properties: facts });
  await emit(tx, {
    name: 'processing_failed',
    ...envelope,
    properties: { ...facts, ...endSignals(row), success_bool: false, failure_reason: reason.text },
  });
};
