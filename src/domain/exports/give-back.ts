import type { NewEvent } from '../../core/events/new-event.ts';
import type { Tx } from '../../platform/db/client.ts';
import { uncountExports } from '../accounts/projects.ts';
import { refundCredits } from '../credits/ledger.ts';
import { emitAll } from '../events/emit.ts';
import { type Export, exportEnvelope, jobFacts } from './export.ts';
import { releaseUsage } from './limits.ts';

/** Exports of one user, day and project, which are locked once for all of them; in a fixed order. */
const alike = (rows: readonly Export[]): Export[][] => {
  const groups = new Map<string, Export[]>();
  for (const row of rows) {
    const key = [row.organization_id, row.user_id, row.charged_day, row.project_id].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
};

/** Limit, credit and the project's count return; `job_refunded` only where a credit does. */
export const giveBack = async (
  tx: Tx,
  rows: readonly Export[],
  source: 'server' | 'worker',
  now: Date,
): Promise<void> => {
  for (const group of alike(rows)) await giveBackAlike(tx, group, source, now);
};

const giveBackAlike = async (
  tx: Tx,
  rows: readonly Export[],
  source: 'server' | 'worker',
  now: Date,
): Promise<void> => {
  const [first] = rows;
  if (!first) return;
  const account = { organizationId: first.organization_id, userId: first.user_id };
  await releaseUsage(tx, { ...account, day: first.charged_day }, rows.length);
  const charged = rows.filter((row) => row.charged_credits > 0);
  const moves = await refundCredits(
    tx,
    account,
    charged.map((row) => ({ amount: row.charged_credits, exportId: row.id, reason: row.status })),
    now,
  );
  await uncountExports(
    tx,
    { organizationId: first.organization_id, projectId: first.project_id },
    rows.length,
    now,
  );
  await emitAll(
    tx,
    charged.flatMap((row, index): NewEvent<'job_refunded'>[] => {
      const move = moves[index];
      return move ? [refunded(row, move, source, now)] : [];
    }),
  );
};

const refunded = (
  row: Export,
  credits: { before: number; after: number },
  source: 'server' | 'worker',
  now: Date,
): NewEvent<'job_refunded'> => ({
  name: 'job_refunded',
  ...exportEnvelope(row, source, now),
  properties: {
    ...jobFacts(row, now),
    credits_before: credits.before,
    credits_after: credits.after,
    ...(row.error_code === null ? {} : { error_code: row.error_code }),
    ...(row.error_text === null ? {} : { failure_reason: row.error_text }),
  },
});
