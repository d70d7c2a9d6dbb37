/**
 * The projector: reads the log page by page, in order, once. What it derives, concludes and routes commits together with its place in
 * the log. Every dispatcher has one; they take turns.
 */
import { routeEvents } from '../../domain/deliveries/route-events.ts';
import { activeSinks } from '../../domain/deliveries/sinks.ts';
import { markProjected } from '../../domain/events/mark-projected.ts';
import { takePage } from '../../domain/events/read-page.ts';
import { absorbEvents } from '../../domain/identity/absorb-events.ts';
import { projectEvents } from '../../domain/projection/project-events.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';

/** Its name, by which its place in the log is kept. */
export const projectorName = 'projector';
export const projectorPage = 1_000;

/** Returns how many events it read; 0 where there are none, or another projector is at work. */
export const projectPage = async (
  db: Database,
  clock: Clock,
  limit: number = projectorPage,
): Promise<number> =>
  db.transaction().execute(async (tx) => {
    const events = await takePage(tx, projectorName, limit);
    if (events === null || events.length === 0) return 0;
    const now = clock.now();
    const people = await absorbEvents(tx, events, now);
    const derived = await projectEvents(tx, events, people, now);
    const deliveries = await routeEvents(tx, events, await activeSinks(tx), now);
    await markProjected(tx, events, derived, deliveries);
    return events.length;
  });
