import type { EventSource } from '../events/define-event.ts';

/** What the projector looks at in a row of the log. */
export interface ProjectedEvent {
  readonly position: number;
  readonly id: string;
  readonly event: string;
  readonly occurredAt: Date;
  readonly organizationId: string;
  readonly userId: string | null;
  readonly distinctId: string | null;
  readonly sessionId: string | null;
  readonly entityType: string | null;
  readonly entityId: string | null;
  readonly correlationId: string | null;
  readonly source: EventSource;
  readonly properties: Readonly<Record<string, unknown>>;
}
