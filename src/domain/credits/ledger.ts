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
interface Entry {
  readonly kind: EntryKind;
  readonly amount: number;
  readonly now: Date;
  readonly exportId?: string;
  readonly reason?: string;
}

const record = (tx: Tx, account: Account, entry: Entry, balanceAfter: number) =>
  tx
    .insertInto('credit_entry')
    .values({
      id: newId(entry.now),
      organization_id: account.organizationId,
      user_id: account.userId,
      kind: entry.kind,
      amount: entry.amount,
      balance_after: balanceAfter,
      export_id: entry.exportId ?? null,
      reason: entry.reason ?? null,
      created_at: entry.now,
    })
    .execute();

export const grantCredits = async (
  tx: Tx,
  account: Account,
  entry: {
    amount: number;
    now: Date;
    kind?: 'grant' | 'top_up' | 'refund';
    exportId?: string;
    reason?: string;
  },
): Promise<CreditMove> => {
  const { balance } = await tx
    .insertInto('credit_balance')
    .values({ organization_id: account.organizationId, user_id: account.userId, balance: entry.amount })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'user_id'])
        .doUpdateSet({ balance: sql<number>`credit_balance.balance + ${entry.amount}` }),
    )
    .returning('balance')
    .executeTakeFirstOrThrow();
  await record(tx, account, { ...entry, kind: entry.kind ?? 'grant' }, balance);
  return { before: balance - entry.amount, after: balance };
};

/** Null where the balance does not reach: nothing is changed then. */
export const spendCredits = async (
  tx: Tx,
  account: Account,
  entry: { amount: number; now: Date; exportId: string },
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
