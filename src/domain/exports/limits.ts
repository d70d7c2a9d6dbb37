/**
 * The day's limit and the credits, reserved and released in one place. Check and reservation are one conditional statement on a
 * counter of (organization, user, day): 100 requests at once against "3 a day" accept exactly 3.
 *
 * Locks are taken in one order everywhere (usage, credits, project), so that an acceptance and a failure cannot wait for each other.
 */
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Tier, TierName } from '../../core/tiers.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import { type CreditMove, spendCredits } from '../credits/ledger.ts';

export interface Metered {
  readonly organizationId: string;
  readonly userId: string;
  readonly timeZone: string;
  readonly tierName: TierName;
  readonly tier: Tier;
}

export interface LimitState {
  /** Exports a day; null: no limit. */
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Start of the organization's next day. */
  readonly resetAt: Date;
}

export interface Reservation extends LimitState {
  /** YYYY-MM-DD: stored on the export, so that a late release goes to the right day. */
  readonly day: string;
  /** 0 to 23, in the same time zone. */
  readonly hour: number;
}

interface UsageRow {
  readonly day: string;
  readonly used: number;
  readonly hour: number;
  readonly resetAt: Date;
}

const timesSql = (day: string, timeZone: string, now: Date) =>
  sql`((${sql.raw(day)} + 1)::timestamp AT TIME ZONE ${timeZone}) AS "resetAt",
    extract(hour FROM ${now}::timestamptz AT TIME ZONE ${timeZone})::int AS hour`;

const readUsage = async (db: Reader, who: Metered, now: Date): Promise<UsageRow> => {
  const { rows } = await sql<UsageRow>`
    WITH today AS (SELECT (${now}::timestamptz AT TIME ZONE ${who.timeZone})::date AS day)
    SELECT today.day::text AS day, coalesce(usage_day.used, 0) AS used, ${timesSql('today.day', who.timeZone, now)}
    FROM today LEFT JOIN usage_day ON usage_day.day = today.day
      AND usage_day.organization_id = ${who.organizationId} AND usage_day.user_id = ${who.userId}`.execute(
    db,
  );
  const [row] = rows;
  if (!row) throw new RendermillError('internal', { message: 'The usage of today could not be read.' });
  return row;
};

const stateOf = (tier: Tier, usage: UsageRow): LimitState => ({
  limit: tier.dailyExports,
  remaining: tier.dailyExports === null ? null : Math.max(0, tier.dailyExports - usage.used),
  resetAt: usage.resetAt,
});

export const limitState = async (db: Reader, who: Metered, now: Date): Promise<LimitState> =>
  stateOf(who.tier, await readUsage(db, who, now));

/** Reserves all or none. Throws `daily_limit_reached` with what remains. */
export const reserve = async (tx: Tx, who: Metered, exports: number, now: Date): Promise<Reservation> => {
  const limit = who.tier.dailyExports;
  const { rows } = await sql<UsageRow>`
    INSERT INTO usage_day (organization_id, user_id, day, used)
    SELECT ${who.organizationId}, ${who.userId}, (${now}::timestamptz AT TIME ZONE ${who.timeZone})::date, ${exports}::int
    WHERE ${limit}::int IS NULL OR ${exports}::int <= ${limit}::int
    ON CONFLICT (organization_id, user_id, day) DO UPDATE SET used = usage_day.used + excluded.used
      WHERE ${limit}::int IS NULL OR usage_day.used + excluded.used <= ${limit}::int
    RETURNING day::text AS day, used, ${timesSql('usage_day.day', who.timeZone, now)}`.execute(tx);
  const [row] = rows;
  if (row) return { ...stateOf(who.tier, row), day: row.day, hour: row.hour };
  const state = stateOf(who.tier, await readUsage(tx, who, now));
  throw new RendermillError('daily_limit_reached', {
    message: `Tier ${who.tierName} allows ${limit} exports a day; ${state.remaining} remain, ${exports} were asked for. The next day begins at ${state.resetAt.toISOString()}.`,
    details: { ...state, resetAt: state.resetAt.toISOString(), tier: who.tierName },
  });
};

/** What the credits are spent on: an export, or a run of a batch with all of its cells. */
export type Spending =
  | { readonly exportId: string }
  | { readonly batchId: string; readonly run: number; readonly cells: number };

/** Null where the tier spends no credits. Throws `insufficient_credits`. */
export const reserveCredits = async (
  tx: Tx,
  who: Metered,
  spending: Spending,
  now: Date,
): Promise<CreditMove | null> => {
  const exports = 'cells' in spending ? spending.cells : 1;
  const amount = who.tier.creditsPerExport * exports;
  if (amount === 0) return null;
  const move = await spendCredits(tx, who, { amount, now, ...spending });
  if (move) return move;
  throw new RendermillError('insufficient_credits', {
    message: `Tier ${who.tierName} spends ${who.tier.creditsPerExport} credit(s) per export, ${amount} for ${exports}, and the user has too few. Grant credits or choose another tier.`,
    details: { creditsPerExport: who.tier.creditsPerExport, exports, tier: who.tierName },
  });
};

interface Account {
  readonly organizationId: string;
  readonly userId: string;
}

/** Gives exports back to the day that was charged, which may be over. */
export const releaseUsage = async (
  tx: Tx,
  charged: Account & { readonly day: string },
  exports: number,
): Promise<void> => {
  await tx
    .updateTable('usage_day')
    .set({ used: sql<number>`used - ${exports}` })
    .where('organization_id', '=', charged.organizationId)
    .where('user_id', '=', charged.userId)
    .where('day', '=', charged.day)
    .execute();
};
