import type { EventSource } from './define-event.ts';

/** An event as the log has it: the envelope, and what its sender said. */
export interface RecordedEvent {
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
  /** False where neither the catalog nor the organization knows the name. */
  readonly isKnown: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
}
