import { attributionFacts } from '../events/properties.ts';
import { conclude, type Moment, personKey, saveState, stateOf, visitorOf } from './page.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** The visitors of a page whose first landing the tenant records itself. */
export const announcedLandings = (events: readonly ProjectedEvent[]): ReadonlySet<string> =>
  new Set(
    events.flatMap((event) => {
      const visitor = event.event === 'first_landing_recorded' ? visitorOf(event) : null;
      return visitor === null ? [] : [personKey(visitor)];
    }),
  );

/** What the landing said of where the visitor came from. */
const whereFrom = ({ properties }: ProjectedEvent): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(attributionFacts).flatMap((name) => {
      const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );

/** Once per visitor, and not where the tenant has said it before us or says it in the same page. */
export const followLanding = (moment: Moment): void => {
  const { event, page, at } = moment;
  const visitor = visitorOf(event);
  const tells = event.event === 'landing_view' || event.event === 'first_landing_recorded';
  if (visitor === null || !tells) return;
  const state = stateOf(page, visitor);
  if (state.landedAt !== null) return;
  saveState(page, { ...state, landedAt: at });
  if (event.event !== 'landing_view' || page.announced.has(personKey(visitor))) return;
  conclude(moment, { name: 'first_landing_recorded', properties: whereFrom(event) });
};
