/** The catalog: every event that has a meaning to us, one module per family. */
import type { z } from 'zod';
import { acquisitionEvents } from './acquisition.ts';
import { activationEvents } from './activation.ts';
import { batchEvents } from './batches.ts';
import { billingEvents } from './billing.ts';
import { complianceEvents } from './compliance.ts';
import { coreValueEvents } from './core-value.ts';
import type { EventDefinition } from './define-event.ts';
import { downloadEvents } from './downloads.ts';
import { engagementEvents } from './engagement.ts';
import { identityEvents } from './identity.ts';
import { inventoryEvents } from './inventory.ts';
import { jobEvents } from './jobs.ts';
import { milestoneEvents } from './milestones.ts';
import { monetizationEvents } from './monetization.ts';
import { planningEvents } from './planning.ts';
import { productEvents } from './products.ts';
import { recipeEvents } from './recipes.ts';
import { reliabilityEvents } from './reliability.ts';
import { retentionEvents } from './retention.ts';
import { timerEvents } from './timers.ts';

export const eventCatalog = {
  ...acquisitionEvents,
  ...activationEvents,
  ...coreValueEvents,
  ...milestoneEvents,
  ...jobEvents,
  ...batchEvents,
  ...downloadEvents,
  ...monetizationEvents,
  ...billingEvents,
  ...retentionEvents,
  ...engagementEvents,
  ...reliabilityEvents,
  ...complianceEvents,
  ...identityEvents,
  ...inventoryEvents,
  ...timerEvents,
  ...recipeEvents,
  ...productEvents,
  ...planningEvents,
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
