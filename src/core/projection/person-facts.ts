import type { Consent } from '../delivery/sink-event.ts';

/** Where a person came from: UTM, click ids, ad ids, referrer, landing variant; names as in the event catalog document. */
export type Touch = Readonly<Record<string, unknown>>;

/** What is known of the person of an event at the moment of that event. */
export interface PersonFacts {
  /** The event's own user, else the one whom its visitor is linked to; null: an anonymous visitor, or nobody. */
  readonly userId: string | null;
  readonly distinctId: string | null;
  readonly firstTouch: Touch | null;
  readonly lastTouch: Touch | null;
  readonly consent: Consent;
}
