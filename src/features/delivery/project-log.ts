/**
 * The projector: reads the log page by page, in order, once. What it derives, concludes and routes commits together with its place in
 * the log. Every dispatcher has one; they take turns.
 */
import { countByPosition, routeEvents } from '../../domain/deliveries/route-events.ts';
import { activeSinks } from '../../domain/deliveries/sinks.ts';
import { markProjected } from '../../domain/events/mark-projected.ts';
import { projectorName, takePage } from '../../domain/events/read-page.ts';
import { absorbEvents } from '../../domain/identity/absorb-events.ts';
import { projectEvents } from '../../domain/projection/project-events.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import { isDatabaseCongested, isDatabaseUnavailable } from '../../platform/db/errors.ts';
import type { Logger } from '../../platform/log/log.ts';

export const projectorPage = 1_000;

export interface PageOptions {
  readonly limit?: number;
  /** Without what can be known of the person and the counts: of an event that nothing can be made of. */
  readonly plain?: boolean;
}

/** Returns how many events it read; 0 where there are none, or another projector is at work. */
export const projectPage = async (
  db: Database,
  clock: Clock,
  { limit = projectorPage, plain = false }: PageOptions = {},
): Promise<number> =>
  db.transaction().execute(async (tx) => {
    const events = await takePage(tx, projectorName, limit);
    if (events === null || events.length === 0) return 0;
    const now = clock.now();
    const people = plain ? new Map() : await absorbEvents(tx, events, now);
    const derived = plain ? new Map() : await projectEvents(tx, events, people, now);
    const made = await routeEvents(tx, events, await activeSinks(tx), now);
    await markProjected(tx, events, derived, countByPosition(made));
    return events.length;
  });

/** Once a page has failed, so many of the next are small: what made it fail may have neighbours. */
const smallPages = 20;

export interface Projector {
  /** As `projectPage`. One event that cannot be projected does not hold up the others: it goes to its sinks as it is. */
  next(): Promise<number>;
  /** What it reads at most: fewer than this, and it has reached the end. */
  readonly limit: () => number;
}

export const createProjector = (deps: { db: Database; clock: Clock; log: Logger }): Projector => {
  const { db, clock, log } = deps;
  let limit = projectorPage;
  let careful = 0;

  const fail = async (error: unknown): Promise<number> => {
    // A database that is away, or where one event alone waits too long for a lock, says nothing about the event.
    if (isDatabaseUnavailable(error) || (limit === 1 && isDatabaseCongested(error))) throw error;
    careful = smallPages;
    if (limit > 1) {
      limit = Math.max(1, Math.floor(limit / 10));
      log.warn(
        { err: error, limit },
        'a page of the event log could not be read; trying fewer events at once',
      );
      return next();
    }
    log.error({ err: error }, 'an event could not be projected; it is delivered without what is derived');
    return projectPage(db, clock, { limit: 1, plain: true });
  };

  const next = async (): Promise<number> => {
    const read = await projectPage(db, clock, { limit }).catch(fail);
    if (careful > 0) careful -= 1;
    else limit = Math.min(projectorPage, limit * 10);
    return read;
  };

  return { next, limit: () => limit };
};
