import type { EventName, EventProperties } from './catalog.ts';
import type { EventSource } from './define-event.ts';

/** An event as code emits it: the canonical envelope, without what the log itself adds. */
export interface NewEvent<Name extends EventName = EventName> {
  readonly name: Name;
  readonly organizationId: string;
  readonly source: EventSource;
  readonly properties: EventProperties<Name>;
  readonly occurredAt: Date;
  /** Any UUID; made when absent. The same id again is the same event and is not written twice. */
  readonly id?: string;
  readonly userId?: string;
  readonly distinctId?: string;
  readonly sessionId?: string;
  /** What it happened to: `export`, `batch`, `user` … and its id. */
  readonly entity?: { readonly type: string; readonly id: string };
  /** Ties together what one request caused. */
  readonly correlationId?: string;
  /** Browser, page, UTM, click ids, experiment variant. */
  readonly context?: Readonly<Record<string, unknown>>;
}
