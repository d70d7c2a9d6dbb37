import type { RecordedEvent } from '../events/recorded-event.ts';

export interface Consent {
  /** null: the person has never said. */
  readonly adsAllowed: boolean | null;
  readonly analyticsAllowed: boolean | null;
}

/**
 * An event as a sink gets it: what the log has, with what its person allows now. Where a derived value has the name of a property, the
 * derived one stands there.
 */
export interface SinkEvent extends RecordedEvent {
  readonly consent: Consent;
}
