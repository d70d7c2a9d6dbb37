import { claimIdempotencyKey, storeAnswer } from '../../domain/exports/idempotency.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

interface Asked {
  readonly organizationId: string;
  readonly route: string;
  /** Undefined: every request is a new one. */
  readonly key: string | undefined;
  /** Of the body, as `hashRequest` makes it. */
  readonly requestHash: string;
}

export interface Answered<Answer> {
  readonly answer: Answer;
  /** The same was asked for before: nothing was done. */
  readonly replayed: boolean;
}

/** One transaction, done once for an idempotency key; what it rejects with leaves no trace. */
export const answerOnce = <Answer extends Record<string, unknown>>(
  { db, clock }: { db: Database; clock: Clock },
  { organizationId, route, key, requestHash }: Asked,
  work: (tx: Tx) => Promise<Answer>,
): Promise<Answered<Answer>> =>
  db.transaction().execute(async (tx) => {
    if (key === undefined) return { answer: await work(tx), replayed: false };
    const scope = { organizationId, route, key, requestHash };
    const before = await claimIdempotencyKey(tx, scope, clock.now());
    if (before) return { answer: before as Answer, replayed: true };
    const answer = await work(tx);
    await storeAnswer(tx, scope, answer);
    return { answer, replayed: false };
  });
