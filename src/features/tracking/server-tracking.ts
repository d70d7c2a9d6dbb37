/** Tracking for code that runs in our own processes: straight into the event log, with no network between. */

import { RendermillError } from '../../core/errors.ts';
import {
  definitionOf,
  type EventName,
  type EventProperties,
  isEventName,
} from '../../core/events/catalog.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';

type Optional = Pick<
  NewEvent,
  'id' | 'userId' | 'distinctId' | 'sessionId' | 'entity' | 'correlationId' | 'context'
>;
export interface TrackOptions extends Optional {
  readonly occurredAt?: Date;
}

/** Properties with the time of the event filled in where its definition has it and it is not given. */
type Trackable<Name extends EventName> = Omit<EventProperties<Name>, 'timestamp'> & { timestamp?: string };

export interface ServerTracking {
  /** Resolves when the event is committed; rejects with `invalid_event` for what the catalog refuses. */
  track<Name extends EventName>(
    name: Name,
    properties: Trackable<Name>,
    options?: TrackOptions,
  ): Promise<void>;
  /** Whether events are recorded. The log is always on; what the sinks get is another matter. */
  isEnabled(): boolean;
}

const hasTimestamp = (name: EventName): boolean => {
  const { emitted, properties } = definitionOf(name);
  return Object.hasOwn((emitted ?? properties).shape, 'timestamp');
};

export const createServerTracking = (deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
}): ServerTracking => ({
  isEnabled: () => true,
  track: async (name, properties, options = {}) => {
    if (!isEventName(name)) {
      throw new RendermillError('invalid_event', {
        message: `"${String(name)}" is not in the event catalog.`,
      });
    }
    const { occurredAt = deps.clock.now(), ...rest } = options;
    const event = {
      name,
      organizationId: deps.organizationId,
      source: 'server',
      occurredAt,
      // What is typed above is checked again at run time.
      properties: {
        ...(hasTimestamp(name) ? { timestamp: occurredAt.toISOString() } : {}),
        ...properties,
      } as unknown as EventProperties<typeof name>,
      ...rest,
    } satisfies NewEvent;
    await deps.db.transaction().execute((tx) => emit(tx, event));
  },
});
