import type { z } from 'zod';

/** Where an event was seen. The catalog says which of them may send it. */
export const eventSources = ['web', 'server', 'worker'] as const;
export type EventSource = (typeof eventSources)[number];

/** How long the log keeps it: behaviour 90 days, business until its person is erased. */
export type RetentionClass = 'behaviour' | 'business';

export interface EventDefinition<Properties extends z.ZodType = z.ZodType> {
  readonly family: string;
  /** Grows with each change that a reader of old rows must know of. */
  readonly schemaVersion: number;
  readonly description: string;
  readonly retention: RetentionClass;
  readonly sources: readonly EventSource[];
  readonly properties: Properties;
}

export const defineEvent = <Properties extends z.ZodType>(
  definition: EventDefinition<Properties>,
): EventDefinition<Properties> => definition;
