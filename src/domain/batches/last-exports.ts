import { sql } from 'kysely';

/** Of each cell of a batch the export of its last run: what the cell has come to. Columns: all of `export`. */
export const lastExportsOf = (batchId: string) => sql`(
  SELECT DISTINCT ON (variant, size) * FROM export WHERE batch_id = ${batchId} ORDER BY variant, size, run DESC
)`;
