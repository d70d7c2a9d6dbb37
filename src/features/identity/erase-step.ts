/** The next piece of work on one erasure, in one transaction: in this order, each until it is done. */
import { forgetMilestones } from '../../domain/accounts/milestones.ts';
import { eraseDeliveriesOf } from '../../domain/deliveries/skip-deliveries.ts';
import { eraseEvents, findEventsToErase, hasLeft, isErased } from '../../domain/events/erase-events.ts';
import {
  changeErasure,
  closeErasure,
  countErased,
  type Erasure,
  erasedPerson,
} from '../../domain/identity/erasures.ts';
import { forgetVisitors } from '../../domain/identity/open-erasures.ts';
import { forgetPerson } from '../../domain/projection/forget-person.ts';
import type { Tx } from '../../platform/db/client.ts';

/** Events of one transaction. */
const batchSize = 500;
/** Until the projector has met the person's last events, and older transactions have ended. */
const projectorMs = 2_000;
const sinkMs = 30_000;
/** Webhooks are tried for about three days: then the event about the deletion has been told, or never will be. */
const sinkPatienceMs = 4 * 24 * 3_600_000;
/** A dispatcher that holds some of the person's events has sent them by then, so that PostHog's deletion includes them. */
const settleMs = 2 * 60_000;
/** Nobody else asks in the meantime; a process that dies while it asks is followed by another one then. */
const askLeaseMs = 5 * 60_000;

const later = (now: Date, milliseconds: number): Date => new Date(now.getTime() + milliseconds);

const eraseLog = async (tx: Tx, erasure: Erasure, now: Date): Promise<void> => {
  const person = erasedPerson(erasure);
  const ids = await findEventsToErase(tx, person, batchSize);
  if (ids.length > 0) {
    await eraseDeliveriesOf(tx, person.organizationId, ids);
    await countErased(tx, erasure, await eraseEvents(tx, person, ids));
    return changeErasure(tx, erasure, { next_at: now });
  }
  if (!(await isErased(tx, person))) {
    return changeErasure(tx, erasure, { next_at: later(now, projectorMs) });
  }
  await forgetVisitors(tx, person.organizationId, person.distinctIds, person.deletedAt);
  await forgetPerson(tx, person.organizationId, person);
  if (person.userId !== null) await forgetMilestones(tx, person.organizationId, person.userId);
  return changeErasure(tx, erasure, { log_done_at: now, next_at: now });
};

/** The deletion itself is told under the person's own id, as long as it takes; then it is nameless, too. */
const eraseDeletion = async (tx: Tx, erasure: Erasure, toldSince: Date, now: Date): Promise<boolean> => {
  const { organization_id: organizationId, id } = erasure;
  const isPatient = now.getTime() - toldSince.getTime() < sinkPatienceMs;
  if (isPatient && !(await hasLeft(tx, organizationId, id))) {
    await changeErasure(tx, erasure, { next_at: later(now, sinkMs) });
    return false;
  }
  await eraseDeliveriesOf(tx, organizationId, [id]);
  await countErased(tx, erasure, await eraseEvents(tx, erasedPerson(erasure), [id]));
  return true;
};

/** Returns the erasure where PostHog is to be asked now, after the transaction. */
export const eraseStep = async (
  tx: Tx,
  erasure: Erasure,
  options: { canAskPosthog: boolean; now: Date },
): Promise<Erasure | null> => {
  const { canAskPosthog, now } = options;
  if (erasure.log_done_at === null) {
    await eraseLog(tx, erasure, now);
    return null;
  }
  if (erasure.posthog_state === null && !(await eraseDeletion(tx, erasure, erasure.log_done_at, now))) {
    return null;
  }
  if (!canAskPosthog) {
    await closeErasure(tx, erasure, 'not_configured', now);
    return null;
  }
  if (erasure.posthog_state === null) {
    await changeErasure(tx, erasure, { posthog_state: 'waiting', next_at: later(now, settleMs) });
    return null;
  }
  const asked = { posthog_attempts: erasure.posthog_attempts + 1, next_at: later(now, askLeaseMs) };
  await changeErasure(tx, erasure, asked);
  return { ...erasure, ...asked };
};
