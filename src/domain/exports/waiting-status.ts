import { sql } from 'kysely';

/** Of an export that goes back into the line. A cut video stays started while it waits for its join: its chunks were rendered. */
export const waitingStatus = sql<
  'queued' | 'started'
>`CASE WHEN chunks IS NULL THEN 'queued' ELSE 'started' END`;
