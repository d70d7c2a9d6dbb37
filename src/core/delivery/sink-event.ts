import type { EventSource } from '../events/define-event.ts';

export interface Consent {
  /** null: the person has never said. */
  readonly adsAllowed: boolean | null;
  readonly analyticsAllowed: boolean | null;
}

/** An event as a sink gets it: what the log has, with what was derived, and what its person allows now. */
export interface SinkEvent {
  readonly id: string;
  readonly event: string;
  readonly occurredAt: Date;
  readonly receivedAt: Date;
  readonly organizationId: string;
  readonly userId: string | null;
  readonly distinctId: string | null;
  readonly sessionId: string | null;
  readonly entityType: string | null;
  readonly entityId: string | null;
  readonly correlationId: string | null;
  readonly source: EventSource;
  readonly environment: string;
  readonly schemaVersion: number;
  readonly isKnown: boolean;
  /** As sent; where a derived value has the same name, that one stands here. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  readonly consent: Consent;
}
