/**
 * What the projector has just read goes to the runners of the same process directly: an event is parsed once, not once more for each
 * of its sinks. Only a shortcut: what is not here (another process has projected it, it was long ago, it is large) is read from
 * the log.
 */
import type { RecordedEvent } from '../../core/events/recorded-event.ts';
import type { MadeDelivery } from '../../domain/deliveries/route-events.ts';

export interface HandOver {
  /** Once they are committed. `derived` by position. */
  put(made: readonly MadeDelivery[], derived: ReadonlyMap<number, Readonly<Record<string, unknown>>>): void;
  /** Gives the event away: the next attempt reads it from the log. */
  take(seq: number): RecordedEvent | undefined;
}

interface Kept {
  readonly event: RecordedEvent;
  /** By `performance.now()`. */
  readonly until: number;
}

/** With `keptBytes`, some 20 MB at most. The oldest are the first to be asked for: once it is full, nothing more comes in. */
const keptAtMost = 10_000;
const keptBytes = 2_000;
/** Another process has delivered it by then. */
const keptMs = 10_000;

export const createHandOver = (): HandOver => {
  const kept = new Map<number, Kept>();
  const forgetOld = (now: number): void => {
    for (const [seq, { until }] of kept) {
      if (until > now) return;
      kept.delete(seq);
    }
  };
  return {
    put: (made, derived) => {
      const now = performance.now();
      forgetOld(now);
      const events = new Map<number, RecordedEvent>();
      for (const { event, seq } of made) {
        if (kept.size >= keptAtMost) return;
        if (event.bytes > keptBytes) continue;
        const shown = events.get(event.position) ?? withDerived(event, derived.get(event.position));
        events.set(event.position, shown);
        kept.set(seq, { event: shown, until: now + keptMs });
      }
    },
    take: (seq) => {
      const found = kept.get(seq);
      kept.delete(seq);
      return found && found.until > performance.now() ? found.event : undefined;
    },
  };
};

/** As the log gives it: where both have a name, the derived value stands; what JSON does not know is not there. */
const withDerived = (
  event: MadeDelivery['event'],
  derived: Readonly<Record<string, unknown>> | undefined,
): RecordedEvent => {
  const { id, occurredAt, receivedAt, organizationId, userId, distinctId, sessionId, entityType, entityId } =
    event;
  const { correlationId, source, environment, schemaVersion, isKnown, properties, context } = event;
  return {
    id,
    event: event.event,
    occurredAt,
    receivedAt,
    organizationId,
    userId,
    distinctId,
    sessionId,
    entityType,
    entityId,
    correlationId,
    source,
    environment,
    schemaVersion,
    isKnown,
    properties: derived ? Object.assign({}, properties, JSON.parse(JSON.stringify(derived))) : properties,
    context,
  };
};
