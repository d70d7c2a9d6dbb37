/** Exports of a mode that no worker serves, and the rounds that end them, driven by the test. */
import { afterAll, beforeEach } from 'vitest';
import type { RenderMode } from '../../../src/core/exports.ts';
import type { TierOverrides } from '../../../src/core/tiers.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import type { WorkerState } from '../../../src/domain/exports/workers.ts';
import { giveCredits } from '../../../src/features/accounts/give-credits.ts';
import { type EndUnservedDeps, endUnservedExports } from '../../../src/features/renders/end-unserved.ts';
import {
  accept,
  beatOnce,
  createOrganization,
  createTestClock,
  createUser,
  noon,
  openTestDatabase,
  readExport,
  registerCompositions,
  silentLog,
} from '../../support/factories.ts';

export const openUnservedScene = async () => {
  const { db, close } = await openTestDatabase();
  afterAll(close);

  const clock = createTestClock();
  const timeoutSeconds = 3_600;
  const lookEveryMs = 60_000;
  beforeEach(async () => {
    clock.set(noon);
    await db
      .updateTable('export')
      .set({ status: 'canceled', canceled_at: new Date(noon) })
      .execute();
    await db.updateTable('batch_run').set({ due: false }).execute();
    await db.deleteFrom('worker').execute();
    await db.deleteFrom('render_mode_watch').execute();
  });

  const turns = new Map<RenderMode, string>();
  const round = (given: Partial<EndUnservedDeps> = {}) =>
    endUnservedExports({ db, clock, log: silentLog, timeoutSeconds, fallsBack: false, turns, ...given });
  /** Rounds, one after another, until one has nothing to do. */
  const look = async (given: Partial<EndUnservedDeps> = {}): Promise<number> => {
    let settled = 0;
    for (;;) {
      const one = await round(given);
      settled += one.settled;
      if (!one.isMore) return settled;
    }
  };
  /** Somebody looks every minute, as long as that; returns how many were settled. */
  const watchFor = async (seconds: number, given: Parameters<typeof look>[0] = {}): Promise<number> => {
    let settled = await look(given);
    for (let passed = 0; passed < seconds * 1000; passed += lookEveryMs) {
      clock.advance(lookEveryMs);
      settled += await look(given);
    }
    return settled;
  };
  const both: WorkerState = {
    concurrency: 2,
    lambdaConcurrency: 10,
    renderModes: ['local', 'lambda'],
    paused: null,
  };
  const beat = (state: WorkerState, id?: string) => beatOnce(db, state, id);
  const newUser = async (tiers: TierOverrides = {}): Promise<Metered> => {
    const organizationId = await createOrganization(db, { tiers });
    await registerCompositions(db, organizationId);
    return createUser(db, organizationId, { tiers });
  };
  const onLambda = (who: Metered) => accept(db, who, { renderMode: 'lambda' }, clock.now());
  const statusOf = async (row: Export) => (await readExport(db, row.id)).status;
  const feedLambda = () => planNext(db, { mode: 'lambda', inFlight: 10, slots: 10 }, clock.now());
  /** A user who pays by credits. */
  const funded = async (credits: number) => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await db
      .transaction()
      .execute((tx) =>
        giveCredits(
          tx,
          { organizationId, userId: who.userId, correlationId: 'a' },
          { amount: credits, kind: 'grant' },
          clock.now(),
        ),
      );
    return who;
  };
  return {
    db,
    clock,
    timeoutSeconds,
    lookEveryMs,
    round,
    look,
    watchFor,
    both,
    beat,
    newUser,
    funded,
    onLambda,
    statusOf,
    feedLambda,
  };
};
