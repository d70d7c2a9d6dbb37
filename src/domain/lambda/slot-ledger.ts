/** The tables of the budget: the limit of a scope, whose row is the lock of all that is granted in it, and the leases. */
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { FunctionPlan } from '../../core/lambda/plan-functions.ts';
import { openLimit, type SlotLimit } from '../../core/lambda/slot-limit.ts';
import type { SlotUse, Urgency } from '../../core/lambda/slots.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';

/** For so long the function that took an order may run beside the one that it launched. */
const startMs = 5_000;

const limitOf = (row: {
  readonly slot_limit: number;
  readonly ceiling: number;
  readonly throttled_at: Date | null;
  readonly grown_at: Date;
}): SlotLimit => ({
  limit: row.slot_limit,
  ceiling: row.ceiling,
  throttledAt: row.throttled_at,
  grownAt: row.grown_at,
});

const rowOf = (state: SlotLimit) => ({
  slot_limit: state.limit,
  ceiling: state.ceiling,
  throttled_at: state.throttledAt,
  grown_at: state.grownAt,
});

export const readLimit = async (db: Reader, scope: string): Promise<SlotLimit | null> => {
  const row = await db.selectFrom('lambda_limit').selectAll().where('scope', '=', scope).executeTakeFirst();
  return row === undefined ? null : limitOf(row);
};

/** Nobody else grants, or shrinks, until the transaction ends. */
export const lockLimit = async (tx: Tx, scope: string, ceiling: number, now: Date): Promise<SlotLimit> => {
  const find = () =>
    tx.selectFrom('lambda_limit').selectAll().where('scope', '=', scope).forUpdate().executeTakeFirst();
  const row = await find();
  if (row !== undefined) return limitOf(row);
  await tx
    .insertInto('lambda_limit')
    .values({ scope, ...rowOf(openLimit(ceiling, now)) })
    .onConflict((conflict) => conflict.column('scope').doNothing())
    .execute();
  const made = await find();
  if (made === undefined)
    throw new RendermillError('internal', { message: `The slot limit of ${scope} is gone.` });
  return limitOf(made);
};

export const saveLimit = async (tx: Tx, scope: string, state: SlotLimit): Promise<void> => {
  await tx.updateTable('lambda_limit').set(rowOf(state)).where('scope', '=', scope).execute();
};

export const dropExpired = async (tx: Tx, scope: string, now: Date): Promise<void> => {
  await tx.deleteFrom('lambda_lease').where('scope', '=', scope).where('expires_at', '<=', now).execute();
};

/** What all leases but `except` take. */
export const countUse = async (
  db: Reader,
  scope: string,
  now: Date,
  except: string | null = null,
): Promise<Omit<SlotUse, 'limit'> & { readonly leases: number }> => {
  const starting = new Date(now.getTime() - startMs);
  const { rows } = await sql<{ used: number; usedByBatch: number; leases: number }>`
    SELECT coalesce(sum(taken), 0)::int AS used, count(*)::int AS leases,
      coalesce(sum(taken) FILTER (WHERE urgency = 'batch'), 0)::int AS "usedByBatch"
    FROM (
      SELECT urgency, CASE WHEN created_at > ${starting} THEN start_slots ELSE slots END AS taken FROM lambda_lease
      WHERE scope = ${scope} AND expires_at > ${now}::timestamptz AND id IS DISTINCT FROM ${except}
    ) AS lease`.execute(db);
  return rows[0] ?? { used: 0, usedByBatch: 0, leases: 0 };
};

export interface Lease {
  readonly scope: string;
  /** The render. */
  readonly id: string;
  /** Of whoever holds it. */
  readonly token: string;
  readonly urgency: Urgency;
  readonly plan: FunctionPlan;
  readonly createdAt: Date;
}

export const findLease = async (tx: Tx, scope: string, id: string): Promise<Lease | null> => {
  const row = await tx
    .selectFrom('lambda_lease')
    .selectAll()
    .where('scope', '=', scope)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { token, urgency, functions, slots, start_slots: startSlots, created_at: createdAt } = row;
  return { scope, id, token, urgency, plan: { functions, slots, startSlots }, createdAt };
};

const valuesOf = ({ token, urgency, plan, createdAt }: Lease, expiresAt: Date) => ({
  token,
  urgency,
  functions: plan.functions,
  slots: plan.slots,
  start_slots: plan.startSlots,
  created_at: createdAt,
  expires_at: expiresAt,
});

/** Whatever the render had before is replaced. */
export const writeLease = async (tx: Tx, lease: Lease, expiresAt: Date): Promise<void> => {
  const values = valuesOf(lease, expiresAt);
  await tx
    .insertInto('lambda_lease')
    .values({ scope: lease.scope, id: lease.id, ...values })
    .onConflict((conflict) => conflict.columns(['scope', 'id']).doUpdateSet(values))
    .execute();
};

/**
 * One that had expired and is gone comes back: its functions run, whether there is room for them or not. Nothing happens where
 * somebody else holds it.
 */
export const renewLease = async (db: Reader, lease: Lease, expiresAt: Date): Promise<void> => {
  await db
    .insertInto('lambda_lease')
    .values({ scope: lease.scope, id: lease.id, ...valuesOf(lease, expiresAt) })
    .onConflict((conflict) =>
      conflict
        .columns(['scope', 'id'])
        .doUpdateSet({ expires_at: expiresAt })
        .where('lambda_lease.token', '=', lease.token),
    )
    .execute();
};

export const deleteLease = async (db: Reader, { scope, id, token }: Lease): Promise<void> => {
  await db
    .deleteFrom('lambda_lease')
    .where('scope', '=', scope)
    .where('id', '=', id)
    .where('token', '=', token)
    .execute();
};
