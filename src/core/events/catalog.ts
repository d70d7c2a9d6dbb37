/** The catalog: every event that may be in the log, one module per family. */
import type { z } from 'zod';
import { batchEvents } from './batches.ts';
import { coreValueEvents } from './core-value.ts';
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
export type EventProperties<Name extends EventName> = z.input<EventCatalog[Name]['properties']>;

export const isEventName = (name: string): name is EventName => Object.hasOwn(eventCatalog, name);
