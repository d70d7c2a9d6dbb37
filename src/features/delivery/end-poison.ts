import type { Verdict } from '../../core/delivery/outcomes.ts';
import { isPoison, poisonAttempts } from '../../core/delivery/poison.ts';
import type { DueDelivery } from '../../domain/deliveries/due-deliveries.ts';
import { readAttempts } from '../../domain/deliveries/read-attempts.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';

/** A refusal that makes the event poison is final; every other verdict stays as it is. */
export const endPoison = async (
  { db, log }: { readonly db: Database; readonly log: Logger },
  sinkId: string,
  delivery: DueDelivery,
  verdict: Verdict,
): Promise<Verdict> => {
  if (verdict.type !== 'refused' || verdict.final || delivery.attempts + 1 < poisonAttempts) return verdict;
  try {
    const { earlier, acceptedAt } = await readAttempts(db, sinkId, delivery);
    if (!isPoison({ status: verdict.status, earlier, acceptedAt })) return verdict;
  } catch (error) {
    // What was answered must be recorded all the same; the next refusal asks again.
    log.warn({ err: error, sink: sinkId }, 'it could not be looked up whether an event is poison');
    return verdict;
  }
  const error = `${verdict.error} It has refused this event ${delivery.attempts + 1} times, and accepted others meanwhile: given up before its schedule ended.`;
  return { ...verdict, final: true, error };
};
