/** How columns are written and read, where the two differ. */
import type { ColumnType } from 'kysely';

/** JSON is written as text and read as what it says. */
export type Json<T> = ColumnType<T, string, string>;
export type JsonOrNull<T> = ColumnType<T | null, string | null, string | null>;
