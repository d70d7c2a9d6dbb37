/** Which events go to which sink. */
import { definitionOf, isEventName } from '../events/catalog.ts';
import { matchesNames } from './match-names.ts';

export interface SinkFilter {
  readonly kind: string;
  readonly organization_id: string | null;
  readonly event_names: readonly string[] | null;
}

/** Meta takes what the catalog maps to one of its standard events; the others take everything. */
const kindTakes = (kind: string, name: string): boolean =>
  kind !== 'meta' || (isEventName(name) && definitionOf(name).sinks?.meta !== undefined);

export const matchesSink = (
  sink: SinkFilter,
  event: { readonly organizationId: string; readonly event: string },
): boolean =>
  (sink.organization_id === null || sink.organization_id === event.organizationId) &&
  kindTakes(sink.kind, event.event) &&
  (sink.event_names === null || matchesNames(sink.event_names, event.event));
