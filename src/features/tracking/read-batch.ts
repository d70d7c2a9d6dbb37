/** The events of a request, which come in several shapes. What the single events hold is judged later, one by one. */
import { RendermillError } from '../../core/errors.ts';
import { isPlainObject } from '../../core/events/event-input.ts';

export const maxEvents = 1_000;
export const maxTrackedEvents = 100;

const refuse = (message: string): never => {
  throw new RendermillError('invalid_request', { message });
};

const bounded = (events: unknown, max: number): readonly unknown[] => {
  if (!Array.isArray(events)) return refuse('"events" must be an array of events.');
  if (events.length >= 1 && events.length <= max) return events;
  return refuse(`A request holds 1 to ${max} events; this one holds ${events.length}.`);
};

/** One event, an array of them, or `{"events": […]}`. Throws `invalid_request` for anything else. */
export const readBatch = (body: unknown): readonly unknown[] => {
  if (Array.isArray(body)) return bounded(body, maxEvents);
  if (!isPlainObject(body)) {
    return refuse('The body must be an event, an array of events, or {"events": [...]}.');
  }
  return Object.hasOwn(body, 'events') && !Object.hasOwn(body, 'event')
    ? bounded(body.events, maxEvents)
    : [body];
};

const withShared = (
  event: unknown,
  { distinct_id, session_id, context }: Record<string, unknown>,
): unknown => {
  if (!isPlainObject(event)) return event;
  const both = isPlainObject(context) && isPlainObject(event.context ?? {});
  return {
    distinct_id,
    session_id,
    ...event,
    context: both
      ? { ...(context as object), ...(event.context as object | undefined) }
      : (event.context ?? context),
    source: 'web',
  };
};

/** `{"events": […], distinct_id, session_id, context}`: what is beside the events is of each that does not say otherwise. */
export const readTracked = (body: unknown): readonly unknown[] => {
  if (!isPlainObject(body)) return refuse('The body must be {"events": [...], "distinct_id": "..."}.');
  return bounded(body.events, maxTrackedEvents).map((event) => withShared(event, body));
};
