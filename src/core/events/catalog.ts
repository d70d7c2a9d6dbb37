/** The catalog: every event that has a meaning to us, one module per family. */
import type { z } from 'zod';
import { batchEvents } from './batches.ts';
import { coreValueEvents } from './core-value.ts';
import type { EventDefinition } from './define-event.ts';
import { downloadEvents } from './downloads.ts';
import { jobEvents } from './jobs.ts';
import { milestoneEvents } from './milestones.ts';

export const eventCatalog = {
  ...coreValueEvents,
  ...milestoneEvents,
  ...jobEvents,
  ...batchEvents,
  ...downloadEvents,
};

export type EventCatalog = typeof eventCatalog;
export type EventName = keyof EventCatalog;

type Emitted<Definition> = Definition extends { readonly emitted?: infer Schema }
  ? NonNullable<Schema>
  : never;

/** What our own code gives. */
export type EventProperties<Name extends EventName> =
  Emitted<EventCatalog[Name]> extends infer Schema extends z.ZodObject ? z.input<Schema> : never;

export const isEventName = (name: string): name is EventName => Object.hasOwn(eventCatalog, name);

export const definitionOf = (name: EventName): EventDefinition => eventCatalog[name];

const canonicalNames = new Map<string, EventName>(
  (Object.keys(eventCatalog) as EventName[]).flatMap((name) =>
    [name, ...(definitionOf(name).aliases ?? [])].map((known) => [known, name] as const),
  ),
);

/** The canonical name of what may come under an alias; undefined where the catalog has neither. */
export const resolveEventName = (name: string): EventName | undefined => canonicalNames.get(name);
