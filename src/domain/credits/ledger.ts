/**
 * The credit ledger. Each entry moves the balance in one conditional statement, so a balance never falls below zero however many
 * requests run at once; an export spends once and gets back once (a unique index, not a check).
 */
import { sql } from 'kysely';
import { newId } from '../../core/ids.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { CreditEntryTable } from '../../platform/db/schema.ts';

interface Account {
  readonly organizationId: string;
  readonly userId: string;
}

export interface CreditMove {
  readonly before: number;
  readonly after: number;
}

type EntryKind = CreditEntryTable['kind'];

/** What an entry is for: an export, a run of a batch, or neither. */
interface Cause {
  readonly exportId?: string;
  readonly batchId?: string;
  readonly run?: number;
}

interface Entry extends Cause {
  readonly kind: EntryKind;
  readonly amount: number;
  readonly now: Date;
  readonly reason?: string;
}

const toRow = (account: Account, entry: Entry, balanceAfter: number) => ({
  id: newId(entry.now),
  organization_id: account.organizationId,
  user_id: account.userId,
  kind: entry.kind,
  amount: entry.amount,
  balance_after: balanceAfter,
  export_id: entry.exportId ?? null,
  batch_id: entry.batchId ?? null,
  run: entry.run ?? null,
  reason: entry.reason ?? null,
  created_at: entry.now,
});

const record = (tx: Tx, account: Account, entry: Entry, balanceAfter: number) =>
  tx
    .insertInto('credit_entry')
    .values(toRow(account, entry, balanceAfter))
    .execute();

const addToBalance = async (tx: Tx, account: Account, amount: number): Promise<number> => {
  const { balance } = await tx
    .insertInto('credit_balance')
    .values({ organization_id: account.organizationId, user_id: account.userId, balance: amount })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'user_id'])
        .doUpdateSet({ balance: sql<number>`credit_balance.balance + ${amount}` }),
    )
    .returning('balance')
    .executeTakeFirstOrThrow();
  return balance;
};

export const grantCredits = async (
  tx: Tx,
  account: Account,
  entry: { amount: number; now: Date; kind?: 'grant' | 'top_up'; reason?: string },
): Promise<CreditMove> => {
  const balance = await addToBalance(tx, account, entry.amount);
  await record(tx, account, { ...entry, kind: entry.kind ?? 'grant' }, balance);
  return { before: balance - entry.amount, after: balance };
};

export interface Refund extends Cause {
  readonly amount: number;
  readonly reason: string;
}

/** One entry each; what the balance was before and after it. */
export const refundCredits = async (
  tx: Tx,
  account: Account,
  refunds: readonly Refund[],
  now: Date,
): Promise<CreditMove[]> => {
  if (refunds.length === 0) return [];
  const total = refunds.reduce((sum, { amount }) => sum + amount, 0);
  let balance = (await addToBalance(tx, account, total)) - total;
  const moves = refunds.map(({ amount }) => {
    const move = { before: balance, after: balance + amount };
    balance = move.after;
    return move;
  });
  await tx
    .insertInto('credit_entry')
    .values(
      refunds.map((refund, index) =>
        toRow(account, { ...refund, kind: 'refund', now }, moves[index]?.after ?? balance),
      ),
    )
    .execute();
  return moves;
};

/** Null where the balance does not reach: nothing is changed then. */
export const spendCredits = async (
  tx: Tx,
  account: Account,
  entry: Cause & { amount: number; now: Date },
): Promise<CreditMove | null> => {
  const row = await tx
    .updateTable('credit_balance')
    .set({ balance: sql<number>`balance - ${entry.amount}` })
    .where('organization_id', '=', account.organizationId)
    .where('user_id', '=', account.userId)
    .where('balance', '>=', entry.amount)
    .returning('balance')
    .executeTakeFirst();
  if (!row) return null;
  await record(tx, account, { ...entry, kind: 'spend' }, row.balance);
  return { before: row.balance + entry.amount, after: row.balance };
};

export const creditBalance = async (db: Reader, account: Account): Promise<number> => {
  const row = await db
    .selectFrom('credit_balance')
    .select('balance')
    .where('organization_id', '=', account.organizationId)
    .where('user_id', '=', account.userId)
    .executeTakeFirst();
  return row?.balance ?? 0;
};
