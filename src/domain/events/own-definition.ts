import type { Selectable } from 'kysely';
import type { EventDefinitionTable } from '../../platform/db/schema-events.ts';

/** One version of an event of an organization's own. */
export type OwnDefinition = Selectable<EventDefinitionTable>;
